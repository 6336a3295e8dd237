package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

type authorizeFlags struct {
	noOpen  bool
	page    bool
	noPage  bool
	drive   bool
	browser string
	timeout time.Duration
	apply   bool
	approve bool
	output  *outputFlags
}

func (a *app) authorizeCommand() *cobra.Command {
	f := &authorizeFlags{}
	c := &cobra.Command{
		Use:   "authorize [CONNECTION...]",
		Short: "Help a person click Allow, and wait until it is done",
		Long: "authorize shows and opens the links of the connections that wait for a person, says who must be\n" +
			"logged in where, and waits until Terraform has a token of the right user. A connection is named by\n" +
			"its address (connection.team[\"acme\"]) or its block (connection.team); none: all.\n\n" +
			"Where several wait, it opens a page on this machine with a button for each. With --drive it opens\n" +
			"a browser window, the person logs in to both systems there, and bbsync clicks Allow on every page.\n\n" +
			"It changes nothing and holds no lease: bbsync apply goes on afterwards, or --apply does at once.",
		Args: cobra.ArbitraryArgs,
	}
	c.Flags().BoolVar(&f.noOpen, "no-open", false, "open nothing, only show the links")
	c.Flags().BoolVar(&f.page, "page", false, "show a local page with a button for each; the default when several wait and a browser can be opened")
	c.Flags().BoolVar(&f.drive, "drive", false, "open a browser window, let the person log in there, and click Allow for them on every page")
	c.Flags().StringVar(&f.browser, "browser", "", "Chromium or Chrome to drive; else one in PATH")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "stop waiting after this long, with exit code 4; 0: wait on")
	c.Flags().BoolVar(&f.apply, "apply", false, "go on with apply for what was authorized")
	c.Flags().BoolVar(&f.approve, "auto-approve", false, "with --apply: do not ask")
	a.variableFlags(c)
	a.auditFlag(c)
	f.output = a.outputFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := a.use(f.output); err != nil {
			return err
		}
		if err := f.check(a.trailFile); err != nil {
			return &exitError{code: exitUsage, err: err}
		}
		f.noPage = c.Flags().Changed("page") && !f.page
		return interruptible(c.Context(), a.authorize(c.Context(), f, args))
	}
	return c
}

// check returns an error where flags contradict each other, or would do nothing.
func (f *authorizeFlags) check(trail string) error {
	switch {
	case f.apply && (f.output.json || f.output.into != ""):
		return errors.New("--json is about the waiting: without --apply, and bbsync apply --json afterwards")
	case !f.apply && (f.approve || trail != ""):
		return errors.New("--auto-approve goes with --apply, and so does --audit: waiting carries no steps out")
	case f.drive && f.apply && !f.approve:
		return errors.New("with --drive, the terminal is for what the walk asks: --apply needs --auto-approve")
	case f.drive && f.page || f.browser != "" && !f.drive:
		return errors.New("--drive goes without --page, and --browser with --drive")
	case f.timeout < 0:
		return errors.New("--timeout must be at least 0, which waits on")
	}
	return nil
}

func (a *app) authorize(ctx context.Context, f *authorizeFlags, addresses []string) error {
	scope := newScopeFlags(addresses...)
	scope.WaitLease = apply.DefaultPatience // of --apply
	run, err := a.openRun(ctx, scope)
	if err != nil {
		return err
	}
	defer run.Close()
	reading, cancel := a.untilStopped(ctx)
	defer cancel()
	p, err := run.Plan(reading)
	if err != nil {
		return err
	}
	result := a.stdout
	if f.output.machine() {
		a.stdout = a.stderr // people read there what they are to do
		defer func() { a.stdout = result }()
	}
	tally := a.tellOthers(p)
	requests := authorize.Of(p)
	if len(requests) == 0 {
		code := int(tally.Code())
		switch {
		case code != exitDone:
		case p.Pending():
			a.sayf("Nothing waits for a person. Next: bbsync apply, which carries out what is left.\n")
		default:
			a.sayf("Nothing waits for a person.\n")
		}
		return errors.Join(a.authorized(f, result, nil, nil, code), exit(code))
	}
	statuses, err := a.await(ctx, run, requests, f)
	if err != nil {
		return err
	}
	tally.Requests(statuses)
	if f.apply {
		return a.applyAuthorized(ctx, run, requests, statuses, f, tally)
	}
	code := int(tally.Code())
	if err := a.authorized(f, result, requests, statuses, code); err != nil {
		return err
	}
	if code == exitDone {
		a.sayf("Done. Next: bbsync apply, which gives Terraform the SSH key and proves the connection.\n")
	}
	return exit(code)
}

// authorized writes what came of the waiting for programs, where that was asked for.
func (a *app) authorized(f *authorizeFlags, result io.Writer, requests []authorize.Request, statuses []authorize.Status, code int) error {
	doc := documents.NewAuthorize()
	doc.ExitCode = code
	for i, r := range requests {
		one := documents.Request{
			Address: r.Address, Organization: r.Organization, Bitbucket: r.BitbucketURL, User: r.ServiceUser, URL: r.URL,
			State: string(statuses[i].State), TokenUser: statuses[i].User,
		}
		if err := statuses[i].Err; err != nil {
			one.Error = err.Error()
		}
		doc.Requests = append(doc.Requests, one)
	}
	people := a.stdout
	a.stdout = result
	defer func() { a.stdout = people }()
	return a.deliver(f.output, func(format report.Format, _ terminal.Style) (string, error) {
		if format == report.AsJSON {
			return documents.JSON(doc)
		}
		return "", nil // people have been told while they waited
	})
}

// tellOthers reports the connections for which nobody can click Allow yet, and
// tallies all but those that wait for it now.
func (a *app) tellOthers(p plan.Plan) exitcode.Tally {
	tally := exitcode.Tally{}
	before := 0
	for _, c := range p.Connections {
		switch {
		case len(c.Blocks) > 0:
			tally.Add(exitcode.OfState(c.State()), 1)
			a.tellf("%s: %s: %s\n", c.Address, c.State(), c.Blocks[0].Text)
		case c.Waits() && c.State() != plan.StateWaiting:
			before++
		case c.State() != plan.StateWaiting:
			tally.Add(exitcode.Finished, 1)
		}
	}
	tally.Add(exitcode.Planned, before)
	if before > 0 {
		a.tellf("%d of %d connections have steps to be done before a person's: run bbsync apply first.\n", before, len(p.Connections))
	}
	return tally
}

// await waits for people, and tells what came of it.
func (a *app) await(ctx context.Context, run *fleet.Run, requests []authorize.Request, f *authorizeFlags) ([]authorize.Status, error) {
	waiting, cancel := a.untilStopped(ctx)
	defer cancel()
	if f.timeout > 0 {
		waiting, cancel = context.WithTimeout(waiting, f.timeout)
		defer cancel()
	}
	paged := a.wantsPage(requests, f)
	watch := authorize.New(terraformOf(run), requests, authorize.Options{Stay: paged || f.drive})
	var err error
	switch {
	case f.drive:
		err = a.waitDriven(waiting, watch, f)
	case paged:
		err = a.waitPage(waiting, watch, f)
	default:
		a.showLinks(ctx, watch, f)
		err = a.waitLine(waiting, watch)
	}
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	statuses, _ := watch.Look()
	return statuses, nil
}

// terraformOf returns the run's authorize.Open.
func terraformOf(run *fleet.Run) authorize.Open {
	return func(ctx context.Context, label, organization string) (authorize.Terraform, error) {
		client, err := run.Systems.Terraform(ctx, label, organization)
		if err != nil {
			return nil, err
		}
		return client, nil
	}
}

// applyAuthorized goes on with what people have authorized. The rest keeps its
// own exit code.
func (a *app) applyAuthorized(ctx context.Context, run *fleet.Run, requests []authorize.Request, statuses []authorize.Status, f *authorizeFlags, tally exitcode.Tally) error {
	authorized := map[string]bool{}
	for _, r := range requests {
		authorized[r.Address] = true
	}
	drop(authorized, requests, statuses)
	reading, cancel := a.untilStopped(ctx)
	defer cancel()
	if reading.Err() != nil {
		tally.Add(exitcode.Failed, len(authorized))
	}
	if len(authorized) == 0 || reading.Err() != nil {
		return exit(int(tally.Code()))
	}
	p, err := run.PlanOnly(reading, func(address string) bool { return authorized[address] })
	if err != nil {
		return err
	}
	t, err := a.applyOutput(&outputFlags{format: string(report.Text)}, run.Configuration.Name, false)
	if err != nil {
		return err
	}
	t.plan(p)
	if p.Pending() && !f.approve {
		if err := a.ask(savable); err != nil {
			return err
		}
	}
	x := &applying{app: a, applyFlags: &applyFlags{scopeFlags: newScopeFlags(), parallelism: apply.DefaultParallel}, run: run, output: t}
	if _, err := x.applyOnce(ctx, fleet.Everything(p)); err != nil {
		return err
	}
	return exit(int(tally.Code()))
}
