package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
)

type applyFlags struct {
	*scopeFlags
	approve     bool
	parallelism int
	verbose     bool
	output      *outputFlags
	canary      int
	maxFailures int
	noWait      bool
	sha256      string // of the plan file; "": any
	leaseFlags
}

func (a *app) applyCommand() *cobra.Command {
	f := &applyFlags{}
	c := &cobra.Command{
		Use:   "apply [PLANFILE]",
		Short: "Plan, confirm and apply",
		Long: "apply plans, shows the plan, asks for confirmation, and applies it: connections in parallel, the\n" +
			"steps of each in order. A failure stops its own connection only.\n\n" +
			"With a file from plan --out it plans again with its own flags and applies, without asking, what is\n" +
			"exactly as in the file. Use the same flags as for plan: with other inputs or an edited file it does\n" +
			"nothing and exits with 6. --sha256 accepts only the file with this hash, which plan --out prints:\n" +
			"pass the hash through the approval.\n\n" +
			"The first interrupt finishes the steps in flight; the second aborts. Run apply again to resume.\n\n" +
			"When someone must click Allow next, apply waits on a terminal and then continues; without a\n" +
			"terminal it exits with 4, and the next run resumes.\n\n" +
			"When another run is working on a connection, apply waits for its lease (--wait-lease). The leases\n" +
			"of a run that was killed expire within two minutes.",
		Args: cobra.MaximumNArgs(1),
	}
	f.scopeFlags = a.shardedFlags(c)
	f.removalFlags(c)
	f.output = a.outputFlags(c)
	a.auditFlag(c)
	c.Flags().BoolVar(&f.approve, "auto-approve", false, "apply without asking for confirmation")
	c.Flags().StringVar(&f.sha256, "sha256", "", "SHA-256 of the plan file, as printed by plan --out")
	f.paceFlags(c)
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "do not group identical connections")
	f.leaseFlags.add(c, f.scopeFlags)
	c.Flags().BoolVar(&f.noWait, "no-wait", false, "do not wait for authorization, even on a terminal: exit with 4")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.use(f.output); err != nil {
			return err
		}
		if err := errors.Join(f.checkPace(), f.checkHash(args), f.leaseFlags.check(f.scopeFlags, false)); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		if len(args) == 0 && !f.approve && f.output.machine() {
			return errNoConfirmation()
		}
		if len(args) == 1 && f.broken {
			return &exitError{code: exitUsage, err: errors.New("--break-lease cannot be used with a plan file: run bbsync apply --break-lease without one")}
		}
		if len(args) == 1 {
			return interruptible(c.Context(), a.applySaved(c.Context(), f, args[0]))
		}
		return interruptible(c.Context(), a.apply(c.Context(), f))
	}
	return c
}

// paceFlags adds the flags that say how many connections are applied when.
func (f *applyFlags) paceFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.IntVar(&f.parallelism, "parallelism", apply.DefaultParallel, "connections to apply in parallel")
	flags.IntVar(&f.canary, "canary", 0, "apply to this many connections first; continue only if all succeed")
	flags.IntVar(&f.maxFailures, "max-failures", 0, "start no more connections after this many failures; 0: no limit")
}

func (f *applyFlags) checkPace() error {
	if f.parallelism < 1 || f.canary < 0 || f.maxFailures < 0 {
		return errors.New("--parallelism must be at least 1, --canary and --max-failures at least 0")
	}
	return nil
}

func errNoConfirmation() error {
	return &exitError{code: exitUsage, err: errors.New("--json cannot ask for confirmation: use --auto-approve or a plan file, or write the stream with --json-into")}
}

// An applying is one command that applies a plan.
type applying struct {
	*app
	*applyFlags
	run    *fleet.Run
	output *applyOutput

	notRotated []plan.Connection // though that was asked for
}

// applying opens a run and its output, does the work, and closes both: the stream of
// JSON gets every error from then on, and its end. check is called before the run
// logs in.
func (a *app) applying(ctx context.Context, f *applyFlags, check func(*fleet.Run) error, work func(*applying) error) error {
	run, err := a.newRun(f.scopeFlags)
	if err != nil {
		return err
	}
	defer run.Close()
	output, err := a.applyOutput(f.output, run.Configuration.Name, f.verbose)
	if err != nil {
		return err
	}
	if err = check(run); err == nil {
		err = run.Open(ctx)
	}
	if err == nil {
		err = work(&applying{app: a, applyFlags: f, run: run, output: output})
	}
	return output.end(err)
}

func (a *app) apply(ctx context.Context, f *applyFlags) error {
	return a.applying(ctx, f, func(*fleet.Run) error { return nil }, func(x *applying) error {
		return x.shown(ctx, func() error {
			switch {
			case f.approve:
				return nil
			case f.Rotate != (plan.Rotation{}):
				return a.ask("") // plan does not know what was asked for
			}
			return a.ask(savable)
		})
	})
}

// shown plans, shows the plan, and applies it when approve returns nil.
func (x *applying) shown(ctx context.Context, approve func() error) error {
	p, err := x.planUnleased(ctx)
	if err != nil {
		return err
	}
	x.output.plan(p)
	x.notRotated = x.run.NotRotated(p)
	if !p.Pending() {
		tally := exitcode.Tally{}
		tally.Plan(p)
		code := x.withNotRotated(tally)
		x.output.summary(apply.Result{}, code, nil)
		return exit(code)
	}
	if err := approve(); err != nil {
		return err
	}
	return x.apply(ctx, fleet.Everything(p))
}

// planUnleased plans after waiting for the leases of other runs. An interrupt ends
// it.
func (x *applying) planUnleased(ctx context.Context) (plan.Plan, error) {
	reading, cancel := x.untilStopped(ctx)
	defer cancel()
	return x.run.PlanUnleased(reading)
}

// apply applies what was approved. On a terminal it waits for authorization and
// resumes; a program that reads the stream gets the exit code and runs apply again.
func (x *applying) apply(ctx context.Context, approved fleet.Approval) error {
	result, err := x.applyOnce(ctx, approved)
	if exitCode(err) == exitWaiting && !x.noWait && len(x.output.streams) == 0 && isTerminal(x.stdin) && isTerminal(x.stderr) {
		return x.resumeAfterAuthorization(ctx, approved.Plan, result)
	}
	return err
}

// applyOnce applies what was approved, shows the result, and checks it: it succeeded
// if nothing is left to do but manual steps.
func (x *applying) applyOnce(ctx context.Context, approved fleet.Approval) (apply.Result, error) {
	trail, err := x.openTrail(x.run.Configuration.Name)
	if err != nil {
		return apply.Result{}, err
	}
	x.output.working(x.run, approved.Plan)
	x.inFlight.Store(true)
	result := x.run.Apply(ctx, approved, apply.Options{
		Parallel: x.parallelism, Canary: x.canary, MaxFailures: x.maxFailures,
		Holder: holder(), Stop: x.stop, Progress: x.output.event, Audit: trail.keep(),
	})
	x.inFlight.Store(false)
	x.output.result(result)
	if err := trail.end(result); err != nil {
		return result, err
	}
	tally := exitcode.Tally{}
	tally.Result(result)
	if code := int(tally.Code()); code != exitDone && code != exitWaiting {
		x.output.summary(result, code, nil)
		return result, exit(code)
	}
	return result, x.check(ctx, approved.Plan, result, tally)
}

// check reads the changed connections again and returns the exit code.
func (x *applying) check(ctx context.Context, applied plan.Plan, result apply.Result, tally exitcode.Tally) error {
	left, err := x.run.Check(ctx, applied, result)
	if err != nil {
		return fmt.Errorf("checking the result: %w", err)
	}
	before := tally.Code()
	if tally.Left(left); tally.Code() != before {
		x.output.different(left)
	}
	code := x.withNotRotated(tally)
	x.output.summary(result, code, &left)
	return exit(code)
}

// withNotRotated returns the exit code, and says which connections were not rotated
// though that was asked for.
func (x *applying) withNotRotated(tally exitcode.Tally) int {
	tally.Add(exitcode.Blocked, len(x.notRotated))
	for _, c := range x.notRotated {
		x.tellf("Error: %s was not rotated: %s\n", c.Address, whyNotRotated(c))
	}
	return int(tally.Code())
}

// whyNotRotated returns what the plan's notes say.
func whyNotRotated(c plan.Connection) string {
	var notes []string
	for _, n := range c.Notes {
		notes = append(notes, n.Text)
	}
	if notes == nil {
		return "its keys are your own, or there is nothing to rotate: see bbsync plan --verbose"
	}
	return strings.Join(notes, "; ")
}

// holder names this process in leases, so that people recognize it. In a container
// without a user database it is the host, which is the Pod's name.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	name := host
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username + " on " + host
	}
	return fmt.Sprintf("%s, process %d", name, os.Getpid())
}
