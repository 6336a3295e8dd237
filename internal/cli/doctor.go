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
		Short: "Check everything that a connection needs, and say what is wrong and what to do",
		Long: "doctor looks at connections (connection.team[\"acme\"], or connection.team for all of a block; none:\n" +
			"all) and at the systems they use, one check after the other: ok, warning, failed, cannot tell. For\n" +
			"what is not well it says the cause and the remedy. It changes nothing, and stops asking Bitbucket\n" +
			"as an account whose password is refused, lest the account be locked.\n\n" +
			"With --prove it also makes, for each connection, a workspace named bbsync-prove-... on the first\n" +
			"repository that the files declare, sees Terraform's webhook appear in Bitbucket and the clone\n" +
			"happen, and removes the workspace again, also when it is interrupted. No run is started.\n\n" +
			"What it sees of names, ports, certificates and clocks is this machine's view and not Terraform's.\n\n" +
			"It exits with 0 when nothing failed (warnings may be there), with 3 when some connections have a\n" +
			"failure or could not be read, with 1 when all do, as when a system that all of them use cannot be used.",
		Args: cobra.ArbitraryArgs,
	}
	a.variableFlags(c)
	output := a.outputFlags(c, report.DoctorFormats()...)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show every check; of more than three connections only what is not well is shown otherwise")
	c.Flags().BoolVar(&prove, "prove", false, "make a short-lived workspace on a declared repository of each connection, and remove it")
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
