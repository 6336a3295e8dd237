package cli

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/shard"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// A session is one configuration with its systems opened.
type session struct {
	fleet       *schema.Fleet
	asked       []*schema.Connection // what the targets name
	connections []*schema.Connection // of those, the shard's
	shard       shard.Shard
	targets     []string
	adopt       []string
	removal     removal
	sys         *systems.Systems
	app         *app            // shows how far reading is, and has the clock
	rotate      plan.Rotation   // asked for, of all of the connections
	outdated    []apply.Outcome // what is not as in the plan file, until it is reported
	breaks      string          // why leases of other runs are broken; "" to respect them
}

// sessionFlags are the flags of every verb that looks at the systems.
type sessionFlags struct {
	targets []string
	adopt   []string
	sharded bool   // the verb works on a shard
	shard   string // i/n
	removal removal
}

func (a *app) sessionFlags(c *cobra.Command) *sessionFlags {
	f := &sessionFlags{removal: removal{max: -1}}
	c.Flags().StringArrayVar(&f.targets, "target", nil, "only this connection (connection.team[\"acme\"]) or block (connection.team); repeatable")
	c.Flags().StringArrayVar(&f.adopt, "adopt", nil, "take over what is there and not ours for this connection or block; repeatable")
	a.variableFlags(c)
	return f
}

// shardedFlags are those of a verb that several processes may share.
func (a *app) shardedFlags(c *cobra.Command) *sessionFlags {
	f := a.sessionFlags(c)
	f.sharded = true
	c.Flags().StringVar(&f.shard, "shard", "", "only this part of the connections, as in 0/8; else from BBSYNC_SHARDS and the scheduler's index")
	return f
}

// open loads the configuration and logs in.
func (a *app) open(ctx context.Context, f *sessionFlags) (*session, error) {
	s, err := a.describe(f)
	if err != nil {
		return nil, err
	}
	return s, s.logIn(ctx)
}

// describe loads the configuration and asks no system.
func (a *app) describe(f *sessionFlags) (*session, error) {
	fleet, err := a.load()
	if err != nil {
		return nil, err
	}
	return a.scope(fleet, f)
}

// logIn opens the systems.
func (s *session) logIn(ctx context.Context) (err error) {
	s.sys, err = systems.Open(ctx, s.fleet, s.app.systemsEnv())
	return err
}

// systemsEnv is what the clients take from the process.
func (a *app) systemsEnv() systems.Env {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	return systems.Env{Getenv: a.getenv, Home: home, Dir: a.dir, UserAgent: "bbsync/" + version(), Note: a.note}
}

// scope says which connections a verb is about: what the targets name, of that
// the shard.
func (a *app) scope(fleet *schema.Fleet, f *sessionFlags) (*session, error) {
	asked, err := targets(fleet, f.targets)
	if err != nil {
		return nil, err
	}
	if _, err := targets(fleet, f.adopt); err != nil {
		return nil, fmt.Errorf("--adopt: %w", err)
	}
	s := &session{fleet: fleet, asked: asked, connections: asked, targets: f.targets, adopt: f.adopt, removal: f.removal, app: a}
	if !f.sharded {
		return s, nil
	}
	if s.shard, err = chooseShard(f.shard, a.getenv); err != nil {
		return nil, &exitError{code: exitUsage, err: err}
	}
	s.connections = slices.DeleteFunc(slices.Clone(asked), func(c *schema.Connection) bool { return !s.shard.Has(c.Address) })
	return s, nil
}

func (s *session) close() {
	if s.sys != nil {
		s.sys.Close()
	}
}

// plan reads the systems and compares.
func (s *session) plan(ctx context.Context, connections []*schema.Connection) (plan.Plan, error) {
	going, err := s.going(ctx)
	if err != nil {
		return plan.Plan{}, err
	}
	all := slices.Concat(connections, going.read)
	progress := s.app.progress("Reading", len(all), "connections", s.sys.Figures)
	opts := s.reading(func(string) { progress.done(1) })
	opts.Unknown = s.whole() || s.rotate.Emergency != ""
	world, err := live.Read(ctx, s.sys, all, opts)
	progress.close()
	if err != nil {
		return plan.Plan{}, fmt.Errorf("reading the systems: %w", err)
	}
	for _, h := range world.Have {
		s.breakLeases(h.Record)
	}
	p, err := live.Plan(ctx, s.sys, connections, world, s.options())
	if err != nil {
		return plan.Plan{}, err
	}
	return s.withRemovals(ctx, p, going, connections, world)
}

// replan plans one connection again, whoever holds its lease: it is asked for
// by the holder.
func (s *session) replan(ctx context.Context, address string) (plan.Connection, error) {
	for _, c := range s.connections {
		if c.Address != address {
			continue
		}
		one := []*schema.Connection{c}
		world, err := live.Read(ctx, s.sys, one, s.reading(nil))
		if err != nil {
			return plan.Connection{}, err
		}
		if r := world.Have[0].Record; r != nil {
			r.Lease = nil
		}
		p, err := live.Plan(ctx, s.sys, one, world, s.options())
		if err != nil {
			return plan.Connection{}, err
		}
		return p.Connections[0], nil
	}
	return plan.Connection{}, fmt.Errorf("%s is not described by the files: what was shown is what is removed, or nothing", address)
}

// options are those of planning connections of the session.
func (s *session) options() plan.Options {
	return plan.Options{Adopt: s.adopts, Now: s.app.now(), Rotate: s.rotate, Run: s.connections, MaxRemovals: s.removal.most()}
}

func (s *session) adopts(address string) bool {
	for _, name := range s.adopt {
		if address == name || len(address) > len(name) && address[:len(name)] == name && address[len(name)] == '[' {
			return true
		}
	}
	return false
}

// whole reports whether the session is about the whole fleet, or about the shard
// that answers for what concerns it as a whole.
func (s *session) whole() bool {
	return len(s.asked) == len(s.fleet.Connections) && s.shard.Index == 0
}

// reading are the options of reading the systems for the session's fleet.
func (s *session) reading(done func(string)) live.Options {
	return live.Options{Done: done}
}
