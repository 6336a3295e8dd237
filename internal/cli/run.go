package cli

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/systems"
)

// scopeFlags are the flags that decide a run's scope.
type scopeFlags struct {
	fleet.Scope
	sharded     bool   // the command works on a shard
	shard       string // i/n
	maxRemovals int    // negative: what the configuration says
}

// newScopeFlags returns the flags of a run on these connections or blocks; none: on
// all.
func newScopeFlags(targets ...string) *scopeFlags {
	return &scopeFlags{Scope: fleet.Scope{Targets: targets}, maxRemovals: -1}
}

func (a *app) scopeFlags(c *cobra.Command) *scopeFlags {
	f := newScopeFlags()
	c.Flags().StringArrayVar(&f.Targets, "target", nil, "only this connection (connection.team[\"acme\"]) or block (connection.team); repeatable")
	c.Flags().StringArrayVar(&f.Adopt, "adopt", nil, "adopt existing objects that bbsync did not create, for this connection or block; repeatable")
	a.variableFlags(c)
	return f
}

// shardedFlags are scopeFlags of a command that several processes may share.
func (a *app) shardedFlags(c *cobra.Command) *scopeFlags {
	f := a.scopeFlags(c)
	f.sharded = true
	c.Flags().StringVar(&f.shard, "shard", "", "only this part of the connections, such as 0/8; default: from BBSYNC_SHARDS and the scheduler's index")
	return f
}

// limitFlags adds the flags that bound what is removed.
func (f *scopeFlags) limitFlags(c *cobra.Command) {
	c.Flags().IntVar(&f.maxRemovals, "max-removals", -1, "remove up to this many connections, instead of max_removals in the configuration")
	c.Flags().Lookup("max-removals").DefValue = "0" // not shown in help: no number means max_removals
	c.Flags().IntVar(&f.Removal.AllowUnlink, "allow-unlink", 0, "exact number of workspaces, policy sets, registry modules and stacks that may lose their OAuth client")
}

// removalFlags adds the flags of the commands that may remove.
func (f *scopeFlags) removalFlags(c *cobra.Command) {
	c.Flags().BoolVar(&f.Removal.Prune, "prune", false, "also remove connections of this fleet that are not in the configuration any more")
	f.limitFlags(c)
}

// scope returns the scope that the flags and the environment ask for.
func (f *scopeFlags) scope(getenv func(string) string) (_ fleet.Scope, err error) {
	s := f.Scope
	if f.maxRemovals >= 0 {
		s.Removal.Max = &f.maxRemovals
	}
	if f.sharded {
		if s.Shard, err = chooseShard(f.shard, getenv); err != nil {
			return s, &exitError{code: exitUsage, err: err}
		}
	}
	return s, nil
}

// newRun loads the configuration and asks no system.
func (a *app) newRun(f *scopeFlags) (*fleet.Run, error) {
	configuration, err := a.load()
	if err != nil {
		return nil, err
	}
	scope, err := f.scope(a.getenv)
	if err != nil {
		return nil, err
	}
	return fleet.New(configuration, scope, fleet.Env{Systems: a.systemsEnv(), Now: a.now, Observer: observer{a}})
}

// openRun loads the configuration and logs in.
func (a *app) openRun(ctx context.Context, f *scopeFlags) (*fleet.Run, error) {
	run, err := a.newRun(f)
	if err != nil {
		return nil, err
	}
	return run, run.Open(ctx)
}

// systemsEnv is what the clients take from the process.
func (a *app) systemsEnv() systems.Env {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	return systems.Env{Getenv: a.getenv, Home: home, Dir: a.dir, UserAgent: "bbsync/" + version(), Note: a.note}
}

// observer shows what a run is doing on standard error.
type observer struct{ app *app }

// Reading implements fleet.Observer.
func (o observer) Reading(connections int, stats func() map[string]limit.Figures) fleet.Progress {
	return o.app.progress("Reading", connections, "connections", stats)
}

// AwaitingLeases implements fleet.Observer.
func (o observer) AwaitingLeases(leased []plan.Connection, most time.Duration) fleet.Progress {
	o.app.tellf("%s: %s\n", leased[0].Address, leased[0].Blocks[0].Text)
	o.app.tellf("Waiting up to %s for %s that another run is working on; --wait-lease 0 does not wait.\n", most, planview.Count(len(leased), "connection"))
	return o.app.progress("Waiting for", len(leased), "leases", nil)
}
