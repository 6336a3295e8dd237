package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
)

func (a *app) destroyCommand() *cobra.Command {
	f := &applyFlags{sessionFlags: &sessionFlags{}}
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
	f.removal.limitFlags(c)
	f.output = a.outputFlags(c)
	a.auditFlag(c)
	c.Flags().StringVar(&confirm, "confirm", "", "the fleet's name: do not ask for it")
	c.Flags().IntVar(&f.parallelism, "parallelism", apply.DefaultParallel, "connections at once")
	f.leaseFlags.add(c)
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every connection whole; alike ones are grouped otherwise")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.use(f.output); err != nil {
			return err
		}
		if f.parallelism < 1 {
			return &exitError{code: exitUsage, err: errors.New("--parallelism must be at least 1")}
		}
		if err := f.leaseFlags.check(false); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		if confirm == "" && f.output.machine() {
			return &exitError{code: exitUsage, err: errors.New("nobody can be asked while a program reads: give --confirm FLEET, or write the stream with --json-into")}
		}
		f.removal.destroy, f.removal.addresses = true, args
		return interruptible(c.Context(), a.destroy(c.Context(), f, confirm))
	}
	return c
}

func (a *app) destroy(ctx context.Context, f *applyFlags, confirm string) (err error) {
	s, t, err := a.openTold(ctx, f)
	if t == nil {
		return err
	}
	defer func() { err = t.end(err) }()
	if err != nil {
		return err
	}
	defer s.close()
	s.connections = nil // nothing is made or mended
	if confirm != "" && confirm != s.fleet.Name {
		return &exitError{code: exitUsage, err: fmt.Errorf("--confirm %s: the files describe fleet %s; nothing was changed", confirm, s.fleet.Name)}
	}
	reading, cancel := a.untilStopped(ctx)
	defer cancel()
	p, err := s.planUnleased(reading, f)
	if err != nil {
		return err
	}
	t.plan(p)
	if !p.Pending() {
		t.summary(apply.Result{}, planExit(p), nil)
		return exit(planExit(p))
	}
	if confirm == "" {
		if err := a.askName(s.fleet.Name); err != nil {
			return err
		}
	}
	return a.carryOut(ctx, s, p, f, t)
}

// askName returns nil when the user types the fleet's name.
func (a *app) askName(fleet string) error {
	if !isTerminal(a.stdin) {
		return &exitError{code: exitUsage, err: fmt.Errorf("nobody can be asked here: review the above and run with --confirm %s", fleet)}
	}
	a.tellf("This cannot be undone. Type the fleet's name, %q, to remove these connections: ", fleet)
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != fleet {
		return &exitError{code: exitFailure, err: errors.New("nothing was changed")}
	}
	return nil
}
