package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/report"
)

type driftFlags struct {
	*sessionFlags
	output *outputFlags
}

func (a *app) driftCommand() *cobra.Command {
	f := &driftFlags{}
	c := &cobra.Command{
		Use:   "drift",
		Short: "Tell what is not as the files say, one line for each connection; for cron",
		Long: "drift compares the files with the live state, as plan does, and tells in one line for each\n" +
			"connection what is not as wanted. It changes nothing, takes no lease and keeps none waiting; a\n" +
			"connection that an apply is at is told as in progress, not as drifted.\n\n" +
			"It exits with 0 when everything is in sync, with 2 when something drifted, with 4 when only a\n" +
			"person is waited for, with 3 when some connections could not be read, and with 1 when none could.",
	}
	f.sessionFlags = a.shardedFlags(c)
	f.output = a.outputFlags(c, report.PlanFormats()...)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := a.use(f.output); err != nil {
			return err
		}
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.drift(ctx, f))
	}
	return c
}

func (a *app) drift(ctx context.Context, f *driftFlags) error {
	s, err := a.open(ctx, f.sessionFlags)
	if err != nil {
		return err
	}
	defer s.close()
	p, err := s.plan(ctx, s.connections)
	if err != nil {
		return err
	}
	d := report.NewDrift(p, report.Scope{Shard: s.shard.String(), Connections: s.asked, Bitbuckets: s.fleet.Bitbuckets})
	err = a.deliver(f.output, func(format report.Format, style report.Style) (string, error) {
		if text, ok, err := d.Render(format, style); ok {
			return text, err
		}
		return report.RenderPlan("drift", p, format, report.PlanOptions{Style: style})
	})
	if err != nil {
		return err
	}
	return exit(driftExit(d))
}

// driftExit is the code of a drift report, of one process or merged.
func driftExit(d report.Drift) int {
	states, shared := d.States()
	code := stateExit(states, shared, d.Summary.Connections)
	if len(d.Missing) == 0 {
		return code
	}
	if len(d.Connections) == 0 {
		return exitError1
	}
	return exitPartial
}
