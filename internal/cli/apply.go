package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

type applyFlags struct {
	*sessionFlags
	approve     bool
	parallelism int
	verbose     bool
	output      *outputFlags
	canary      int
	maxFailures int
	rotate      plan.Rotation
	noWait      bool
	sha256      string // of the plan file; "": any
	leaseFlags
	patience *apply.Patience
}

func (a *app) applyCommand() *cobra.Command {
	f := &applyFlags{}
	c := &cobra.Command{
		Use:   "apply [PLANFILE]",
		Short: "Carry the plan out",
		Long: "apply plans, shows the plan, asks, and carries it out: connections side by side, the steps of\n" +
			"each in order. A failure stops its own connection only.\n\n" +
			"Given a file that plan --out saved, it plans again with its own flags and carries out, without\n" +
			"asking, what is exactly as in the file. Give it the flags that plan had: with other inputs, and\n" +
			"with a file that was edited, it does nothing and exits with 6. With --sha256 it takes no other file\n" +
			"than the one that has this hash, which plan --out prints: carry the hash through the approval.\n\n" +
			"The first interrupt finishes the steps in flight; the second aborts. Running it again goes on\n" +
			"where it stopped.\n\n" +
			"Where the next step is a person's, apply waits on a terminal and goes on by itself; elsewhere it\n" +
			"exits with 4, and the next run goes on.\n\n" +
			"Where another run is working on a connection, apply waits for its lease (--wait-lease). A run that\n" +
			"was killed leaves leases that end within two minutes.",
		Args: cobra.MaximumNArgs(1),
	}
	f.sessionFlags = a.shardedFlags(c)
	f.removalFlags(c)
	f.output = a.outputFlags(c)
	a.auditFlag(c)
	c.Flags().BoolVar(&f.approve, "auto-approve", false, "do not ask")
	c.Flags().StringVar(&f.sha256, "sha256", "", "SHA-256 that the plan file must have, as plan --out prints it")
	f.paceFlags(c)
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show every connection whole; alike ones are grouped otherwise")
	f.leaseFlags.add(c)
	c.Flags().BoolVar(&f.noWait, "no-wait", false, "do not wait for a person, even on a terminal: exit with 4")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := errors.Join(a.use(f.output), f.checkRemoval()); err != nil {
			return err
		}
		if err := errors.Join(f.checkPace(), f.checkHash(args), f.leaseFlags.check(false)); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		if len(args) == 0 && !f.approve && f.output.machine() {
			return errNobodyAsked()
		}
		if len(args) == 1 && f.broken {
			return &exitError{code: exitUsage, err: errors.New("--break-lease is no part of a saved plan: run bbsync apply --break-lease without one")}
		}
		if len(args) == 1 {
			return interruptible(c.Context(), a.applySaved(c.Context(), f, args[0]))
		}
		return interruptible(c.Context(), a.apply(c.Context(), f))
	}
	return c
}

// paceFlags adds the flags that say how many connections are carried out when.
func (f *applyFlags) paceFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.IntVar(&f.parallelism, "parallelism", apply.DefaultParallel, "connections at once")
	flags.IntVar(&f.canary, "canary", 0, "this many connections first, the rest only if all of them came to their end")
	flags.IntVar(&f.maxFailures, "max-failures", 0, "begin no further connection after this many failed; 0: no limit")
}

func (f *applyFlags) checkPace() error {
	if f.parallelism < 1 || f.canary < 0 || f.maxFailures < 0 {
		return errors.New("--parallelism must be at least 1, --canary and --max-failures at least 0")
	}
	return nil
}

func errNobodyAsked() error {
	return &exitError{code: exitUsage, err: errors.New("nobody can be asked while a program reads: give --json a saved plan or --auto-approve, or write the stream with --json-into")}
}

// openTold loads the configuration, begins to tell, checks the session, and logs in:
// anyone who reads the stream learns of everything that goes wrong from then on, and
// ends it. The teller is nil when there is nothing to end.
func (a *app) openTold(ctx context.Context, f *applyFlags, checks ...func(*session) error) (*session, *teller, error) {
	s, err := a.describe(f.sessionFlags)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.teller(f.output, s.fleet.Name, f.verbose)
	if err != nil {
		return nil, nil, err
	}
	for _, check := range checks {
		if err := check(s); err != nil {
			return s, t, err
		}
	}
	return s, t, s.logIn(ctx)
}

func (a *app) apply(ctx context.Context, f *applyFlags) (err error) {
	s, t, err := a.openTold(ctx, f)
	if t == nil {
		return err
	}
	defer func() { err = t.end(err) }()
	if err != nil {
		return err
	}
	defer s.close()
	s.rotate = f.rotate
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
	if !f.approve {
		otherwise := savable
		if s.rotate != (plan.Rotation{}) {
			otherwise = "" // plan knows nothing of what was asked for
		}
		if err := a.ask(otherwise); err != nil {
			return err
		}
	}
	return a.carryOut(ctx, s, p, f, t)
}

// carryOut runs a plan and, where somebody sits at a terminal, waits for the
// person's steps and goes on. A program that reads a stream is told and left.
func (a *app) carryOut(ctx context.Context, s *session, p plan.Plan, f *applyFlags, t *teller) error {
	result, err := a.carryOnce(ctx, s, p, f, t)
	if exitCode(err) == exitWaiting && !f.noWait && len(t.streams) == 0 && isTerminal(a.stdin) && isTerminal(a.stderr) {
		return a.goOn(ctx, s, result, f, t)
	}
	return err
}

// carryOnce runs a plan, shows how it ended, and reads again: success means that
// nothing is left to do but what waits for a person.
func (a *app) carryOnce(ctx context.Context, s *session, p plan.Plan, f *applyFlags, t *teller) (apply.Result, error) {
	trail, err := a.openTrail(s.fleet.Name)
	if err != nil {
		return apply.Result{}, err
	}
	t.working(s, p)
	a.inFlight.Store(true)
	result := apply.Run(ctx, s.sys, p, apply.Options{
		Parallel: f.parallelism, AllowUnlink: f.removal.allowUnlink, Holder: a.holder(), Patience: f.patience, Stop: a.stop, Now: a.now,
		Canary: f.canary, MaxFailures: f.maxFailures,
		Progress: t.event, Replan: s.replan, Audit: trail.keep(),
	})
	a.inFlight.Store(false)
	result.Connections = append(result.Connections, s.outdated...)
	s.outdated = nil
	t.result(result)
	if err := trail.end(result); err != nil {
		return result, err
	}
	tally := exitcode.Tally{}
	tally.Result(result)
	code := int(tally.Code())
	if code != exitDone && code != exitWaiting {
		t.summary(result, code, nil)
		return result, exit(code)
	}
	s.rotate, s.breaks = plan.Rotation{Hold: true}, "" // what was asked for is done
	left, err := s.plan(ctx, touched(s.connections, result))
	if err != nil {
		return result, fmt.Errorf("checking the result: %w", err)
	}
	waits := later(result)
	left.Connections = slices.DeleteFunc(left.Connections, func(c plan.Connection) bool { return waits[c.Address] })
	if tally.Left(left); int(tally.Code()) != code {
		t.different(left)
	}
	code = int(tally.Code())
	t.summary(result, code, &left)
	return result, exit(code)
}

// touched returns the connections that an apply wrote to.
func touched(connections []*schema.Connection, r apply.Result) []*schema.Connection {
	wrote := map[string]bool{}
	for _, o := range r.Connections {
		wrote[o.Address] = len(o.Done) > 0
	}
	var out []*schema.Connection
	for _, c := range connections {
		if wrote[c.Address] {
			out = append(out, c)
		}
	}
	return out
}

// later returns the connections that were not begun because of the one before
// them, by address.
func later(r apply.Result) map[string]bool {
	out := map[string]bool{}
	for _, o := range r.Connections {
		if o.Status == apply.Later {
			out[o.Address] = true
		}
	}
	return out
}

// savable is what else can be done where nobody can be asked.
const savable = ", or save it with plan --out and apply the file"

// ask returns nil when the user says yes.
func (a *app) ask(otherwise string) error {
	if !isTerminal(a.stdin) {
		return &exitError{code: exitUsage, err: fmt.Errorf("nobody can be asked here: review the plan and run with --auto-approve%s", otherwise)}
	}
	a.tellf("Carry these steps out? Only \"yes\" is a yes: ")
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return &exitError{code: exitFailure, err: errors.New("nothing was changed")}
	}
	return nil
}

// holder names this process in leases, as a person would recognise it. In a
// container without a user database that is the host, as the Pod's name.
func (a *app) holder() string {
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
