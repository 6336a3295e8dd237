package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

type driftFlags struct {
	*scopeFlags
	output *outputFlags
	tell   tellFlags
}

func (a *app) driftCommand() *cobra.Command {
	f := &driftFlags{}
	c := &cobra.Command{
		Use:   "drift",
		Short: "Report drift, one line per connection (for cron)",
		Long: "drift compares the configuration with the live state, as plan does, and reports the differences in\n" +
			"one line per connection. It changes nothing and takes no lease; a connection that an apply is\n" +
			"working on is reported as in progress, not as drifted.\n\n" +
			"It exits with 0 when everything is in sync, with 2 on drift, with 7 when another run holds a lease,\n" +
			"with 4 when connections only wait for authorization, with 3 when some connections could not be\n" +
			"read, and with 1 when none could.\n" +
			"Metrics and messages that cannot be delivered are warnings and do not change the exit code.",
	}
	f.scopeFlags = a.shardedFlags(c)
	f.EveryToken = true
	f.output = a.outputFlags(c, report.PlanFormats()...)
	f.tell.add(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := a.use(f.output); err != nil {
			return err
		}
		if err := f.tell.check(len(f.Targets) > 0); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.drift(ctx, f))
	}
	return c
}

// A look is one look at the fleet, and what came of it.
type look struct {
	run          *fleet.Run
	plan         plan.Plan
	drift        drift.Report // zero when the look failed as a whole
	began, ended time.Time
	err          error // what the process ends with
}

// drift looks, shows what it saw, and tells those who are not there.
func (a *app) drift(ctx context.Context, f *driftFlags) error {
	began := a.now()
	run, err := a.newRun(f.scopeFlags)
	if err != nil {
		return err
	}
	defer run.Close()
	seen := look{run: run, began: began}
	seen.plan, seen.drift, seen.err = a.look(ctx, run)
	var unseen error // a full disk here keeps nobody else from being told
	if seen.err == nil {
		unseen = a.showDrift(f.output, seen)
		seen.err = exit(driftExit(seen.drift))
	}
	if ctx.Err() == nil { // a look that was interrupted is nobody's news
		seen.ended = a.now()
		a.tell(ctx, f, seen)
	}
	if unseen != nil {
		return unseen
	}
	return seen.err
}

// look reads the systems and compares.
func (a *app) look(ctx context.Context, run *fleet.Run) (plan.Plan, drift.Report, error) {
	if err := run.Open(ctx); err != nil {
		return plan.Plan{}, drift.Report{}, err
	}
	p, err := run.Plan(ctx)
	if err != nil {
		return plan.Plan{}, drift.Report{}, err
	}
	return p, drift.New(p, drift.Scope{Time: a.now(), Shard: run.Scope.Shard.String(), Connections: run.Targeted, Bitbuckets: run.Configuration.Bitbuckets}), nil
}

func (a *app) showDrift(output *outputFlags, seen look) error {
	return a.deliver(output, func(format report.Format, style terminal.Style) (string, error) {
		if text, ok, err := report.RenderDrift(seen.drift, format, style); ok {
			return text, err
		}
		return report.RenderPlan(seen.plan, format, report.PlanOptions{Options: terminal.Options{Style: style}, Version: version(), Now: a.now()})
	})
}

// driftExit returns the code of a drift report, of one process or merged.
func driftExit(d drift.Report) int {
	t := exitcode.Tally{}
	t.Drift(d)
	return int(t.Code())
}
