package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

func (a *app) planCommand() *cobra.Command {
	var out string
	var verbose bool
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would do, and why",
		Long: "plan compares the configuration with the live state of Terraform, Bitbucket and Vault and shows\n" +
			"what apply would do, and why. It changes nothing.\n\n" +
			"It exits with 0 when everything is in sync, with 2 when there are changes to apply, and with 7 when\n" +
			"another run holds the lease of a connection.",
	}
	flags := a.shardedFlags(c)
	flags.removalFlags(c)
	output := a.outputFlags(c, report.PlanFormats()...)
	c.Flags().BoolVar(&flags.Quick, "quick", false, "take OAuth consumers from Bitbucket's list of links, in one request: a public key that was replaced under the same consumer key is not noticed (drift, doctor and apply notice it)")
	c.Flags().StringVar(&out, "out", "", "save the plan, which holds no secret, to this file, and print its SHA-256 for apply --sha256")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "do not group identical connections")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := a.use(output); err != nil {
			return err
		}
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.plan(ctx, flags, out, verbose))
	}
	return c
}

func (a *app) plan(ctx context.Context, flags *scopeFlags, out string, verbose bool) error {
	run, err := a.openRun(ctx, flags)
	if err != nil {
		return err
	}
	defer run.Close()
	p, err := run.Plan(ctx)
	if err != nil {
		return err
	}
	err = a.deliver(a.output, func(format report.Format, style terminal.Style) (string, error) {
		return report.RenderPlan(p, format, report.PlanOptions{Options: terminal.Options{Style: style, Verbose: verbose}, Version: version(), Now: a.now()})
	})
	if err != nil {
		return err
	}
	if out != "" {
		if err := a.savePlan(p, run, out); err != nil {
			return err
		}
	}
	return exit(planExit(p))
}
