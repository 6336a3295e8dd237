package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/fleet"
)

func (a *app) destroyCommand() *cobra.Command {
	f := &applyFlags{scopeFlags: newScopeFlags()}
	var confirm string
	c := &cobra.Command{
		Use:   "destroy [ADDRESS...]",
		Short: "Remove connections from all systems",
		Long: "destroy removes the connections at these addresses, or all that the fleet has records of in Vault,\n" +
			"from Terraform, Bitbucket and Vault. It shows what goes and which workspaces, policy sets, registry\n" +
			"modules and stacks lose their OAuth client, and asks for the fleet's name. Protected connections stay,\n" +
			"as do permissions that were granted.\n\n" +
			"max_removals holds here, too, and what uses an OAuth client loses it with --allow-unlink only. To\n" +
			"remove what you have taken out of the files, use apply --prune instead: the files would make it anew\n" +
			"otherwise.",
		Args: cobra.ArbitraryArgs,
	}
	a.variableFlags(c)
	f.limitFlags(c)
	f.output = a.outputFlags(c)
	a.auditFlag(c)
	c.Flags().StringVar(&confirm, "confirm", "", "the fleet's name: do not ask for it")
	c.Flags().IntVar(&f.parallelism, "parallelism", apply.DefaultParallel, "connections at once")
	f.leaseFlags.add(c, f.scopeFlags)
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every connection whole; alike ones are grouped otherwise")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.use(f.output); err != nil {
			return err
		}
		if f.parallelism < 1 {
			return &exitError{code: exitUsage, err: errors.New("--parallelism must be at least 1")}
		}
		if err := f.leaseFlags.check(f.scopeFlags, false); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		if confirm == "" && f.output.machine() {
			return &exitError{code: exitUsage, err: errors.New("nobody can be asked while a program reads: give --confirm FLEET, or write the stream with --json-into")}
		}
		f.Removal.Destroy, f.Removal.Names = true, args
		return interruptible(c.Context(), a.destroy(c.Context(), f, confirm))
	}
	return c
}

func (a *app) destroy(ctx context.Context, f *applyFlags, confirm string) error {
	named := func(run *fleet.Run) error {
		if name := run.Configuration.Name; confirm != "" && confirm != name {
			return &exitError{code: exitUsage, err: fmt.Errorf("--confirm %s: the files describe fleet %s; nothing was changed", confirm, name)}
		}
		return nil
	}
	return a.applying(ctx, f, named, func(x *applying) error {
		return x.shown(ctx, func() error {
			if confirm != "" {
				return nil
			}
			return a.askName(x.run.Configuration.Name)
		})
	})
}
