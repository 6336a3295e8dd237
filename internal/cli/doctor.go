package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

func (a *app) doctorCommand() *cobra.Command {
	var verbose, prove bool
	c := &cobra.Command{
		Use:   "doctor [CONNECTION...]",
		Short: "Diagnose connections and suggest fixes",
		Long: "doctor checks connections (connection.team[\"acme\"], or connection.team for all of a block;\n" +
			"default: all) and the systems they use: ok, warning, failed, cannot tell. For each problem it\n" +
			"reports the cause and how to fix it. It changes nothing, and stops using an account whose password\n" +
			"is refused, so that the account is not locked.\n\n" +
			"--prove also creates a workspace named bbsync-prove-... on the first repository of each connection,\n" +
			"waits for Terraform's webhook and clone, and deletes the workspace, also when interrupted. No run\n" +
			"is started.\n\n" +
			"DNS, ports, certificates and clocks are checked from this machine, not from Terraform.\n\n" +
			"It exits with 0 when nothing failed (there may be warnings), with 3 when some connections failed or\n" +
			"could not be read, and with 1 when every connection failed, e.g. a shared system is down.",
		Args: cobra.ArbitraryArgs,
	}
	a.variableFlags(c)
	output := a.outputFlags(c, report.DoctorFormats()...)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show every check (default for up to three connections), not only problems")
	c.Flags().BoolVar(&prove, "prove", false, "create a short-lived workspace on a repository of each connection, and delete it")
	c.RunE = func(c *cobra.Command, names []string) error {
		if err := a.use(output); err != nil {
			return err
		}
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.doctor(ctx, names, verbose || len(names) > 0, prove))
	}
	return c
}

func (a *app) doctor(ctx context.Context, names []string, verbose, prove bool) error {
	scope := newScopeFlags(names...)
	scope.EveryToken = true
	run, err := a.newRun(scope)
	if err != nil {
		return err
	}
	defer run.Close()
	found, err := doctor.Run(ctx, run, doctor.Options{Now: a.now()})
	if err != nil {
		return err
	}
	if prove {
		doctor.Prove(ctx, run.Systems, run.Connections, &found, doctor.ProveOptions{Tell: func(address, say string) { a.tellf("%s: %s\n", address, say) }})
	}
	err = a.deliver(a.output, func(format report.Format, style terminal.Style) (string, error) {
		return report.RenderDoctor(run.Configuration.Name, found, format, terminal.Options{Style: style, Verbose: verbose})
	})
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t := exitcode.Tally{}
	t.Diagnosis(found)
	return exit(int(t.Code()))
}
