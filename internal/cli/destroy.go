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
		Long: "destroy removes the connections with these addresses (default: all in the fleet's records in Vault)\n" +
			"from Terraform, Bitbucket and Vault. It shows what is removed and which workspaces, policy sets,\n" +
			"registry modules and stacks lose their OAuth client, and asks for the fleet's name. Protected\n" +
			"connections and granted permissions stay.\n\n" +
			"max_removals applies, and an OAuth client in use is deleted with --allow-unlink only. For connections\n" +
			"that you removed from the configuration use apply --prune; the next apply would re-create any others.",
		Args: cobra.ArbitraryArgs,
	}
	a.variableFlags(c)
	f.limitFlags(c)
	f.output = a.outputFlags(c)
	a.auditFlag(c)
	c.Flags().StringVar(&confirm, "confirm", "", "the fleet's name, instead of asking for it")
	c.Flags().IntVar(&f.parallelism, "parallelism", apply.DefaultParallel, "connections to remove in parallel")
	f.leaseFlags.add(c, f.scopeFlags)
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "do not group identical connections")
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
			return &exitError{code: exitUsage, err: errors.New("--json cannot ask for confirmation: use --confirm FLEET, or write the stream with --json-into")}
		}
		f.Removal.Destroy, f.Removal.Names = true, args
		return interruptible(c.Context(), a.destroy(c.Context(), f, confirm))
	}
	return c
}

func (a *app) destroy(ctx context.Context, f *applyFlags, confirm string) error {
	named := func(run *fleet.Run) error {
		if name := run.Configuration.Name; confirm != "" && confirm != name {
			return &exitError{code: exitUsage, err: fmt.Errorf("--confirm %s: the configuration is of fleet %s; nothing was changed", confirm, name)}
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
