// Package apply carries plans out: what a Bitbucket's connections share first,
// then the connections side by side, the steps of each in order. A failure ends
// its own connection; the others go on. It decides nothing: what it does is
// what the plan says.
package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/trace"
	"github.com/bbsync/bbsync/internal/vault"
)

// DefaultParallel is how many connections are applied at once.
const DefaultParallel = 10

const (
	defaultLease = 2 * time.Minute
	releaseTime  = 20 * time.Second
)

// Options of an apply.
type Options struct {
	Parallel int           // connections at once; 0: DefaultParallel
	Holder   string        // who applies, as others see it in the lease
	Lease    time.Duration // how long a lease lasts without renewal; 0: two minutes
	Patience *Patience     // with the leases of other runs
	Stop     <-chan struct{}
	Progress func(Event) // called from several goroutines; may be nil

	// Audit keeps each deed before the next step begins; its error ends the
	// connection. It is called from several goroutines; may be nil.
	Audit func(Deed) error

	// AllowUnlink is how many workspaces, policy sets, registry modules and stacks
	// the deletion of OAuth clients may unlink; it must equal the count.
	AllowUnlink int

	// Canary is how many connections go first, alone; the rest follows when all of
	// them came to their end. 0: none.
	Canary int
	// MaxFailures is how many connections may fail before no further one begins;
	// 0: any number.
	MaxFailures int
	// Now is the clock for the times that records keep; nil: time.Now.
	Now func() time.Time

	// Replan plans one connection again, when its record changed after it was
	// planned.
	Replan func(ctx context.Context, address string) (plan.Connection, error)
}

// An Event tells of one step or one connection.
type Event struct {
	Address string
	Step    plan.AnyStep // nil: about the connection
	Kind    EventKind
	Text    string // of a warning
	Err     error
	Took    time.Duration
}

// EventKind is what happened.
type EventKind string

// The kinds of Event.
const (
	Started  EventKind = "started"
	StepDone EventKind = "done"
	Failed   EventKind = "failed"
	Warning  EventKind = "warning"
	Finished EventKind = "finished"
)

// Status is how a connection, or a Bitbucket, ended.
type Status string

// The ways to end.
const (
	Applied   Status = "applied"   // every step was done
	Unchanged Status = "unchanged" // nothing to do
	Broken    Status = "failed"    // a step failed; the rest was not run
	Waiting   Status = "waiting"   // a person must do something first
	Stale     Status = "stale"     // the world moved since it was planned
	Blocked   Status = "refused"   // the plan has blocks
	NotRun    Status = "not run"   // interrupted before it began, or in between
	Leased    Status = "leased"    // another run holds its lease
	Later     Status = "later"     // not begun: what it follows did not come to its end
)

// Statuses returns all statuses, in the order in which they are counted.
func Statuses() []Status {
	return []Status{Applied, Waiting, Broken, Blocked, Stale, NotRun, Leased, Later, Unchanged}
}

// An Outcome is how one connection, or one Bitbucket, ended.
type Outcome struct {
	Address string
	Status  Status
	Done    []plan.AnyStep
	Left    []plan.AnyStep // in order; the first of them failed or waits
	Err     error
	Wait    *Wait
}

// A Wait is what a person must do.
type Wait struct {
	Address      string `json:"address"`
	Organization string `json:"organization"`
	Client       string `json:"client"`
	User         string `json:"user"` // who must be logged in to Bitbucket
	Bitbucket    string `json:"bitbucket"`
	URL          string `json:"url"` // to open, logged in to Terraform
	Again        bool   `json:"again,omitempty"`
	Why          string `json:"why,omitempty"`
}

// A Result is the outcomes in the order of the plan.
type Result struct {
	Bitbuckets  []Outcome
	Connections []Outcome
	Halted      string // why connections were not begun; "" when all were
}

// Outcomes returns all outcomes, those of the Bitbuckets first.
func (r Result) Outcomes() []Outcome {
	return append(append([]Outcome{}, r.Bitbuckets...), r.Connections...)
}

// Run carries a plan out.
func Run(ctx context.Context, sys *systems.Systems, known Known, p plan.Plan, opts Options) Result {
	return run(ctx, opened{sys, known}, p, opts)
}

func run(ctx context.Context, sys servers, p plan.Plan, opts Options) Result {
	if opts.Parallel == 0 {
		opts.Parallel = DefaultParallel
	}
	if opts.Lease == 0 {
		opts.Lease = defaultLease
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	e := &executor{sys: sys, opts: opts, failed: map[plan.GrantPermission]error{}, fleet: p.Fleet}
	result := Result{Bitbuckets: make([]Outcome, len(p.Bitbuckets))}
	e.each(len(p.Bitbuckets), func(i int) { result.Bitbuckets[i] = e.bitbucket(ctx, p.Bitbuckets[i]) })
	result.Connections = e.connections(ctx, p.Connections)
	result.Halted = e.halted
	return result
}

// An executor is one Run.
type executor struct {
	sys   servers
	opts  Options
	fleet string

	mu       sync.Mutex
	failed   map[plan.GrantPermission]error // shared steps that did not happen
	failures int
	halted   string
}

func (e *executor) each(n int, do func(int)) {
	group := new(errgroup.Group)
	group.SetLimit(e.opts.Parallel)
	for i := range n {
		group.Go(func() error { do(i); return nil })
	}
	_ = group.Wait() // outcomes carry the errors
}

func (e *executor) event(ev Event) {
	if e.opts.Progress != nil {
		e.opts.Progress(ev)
	}
}

// stopped reports whether no further step is to begin.
func (e *executor) stopped(ctx context.Context) bool {
	select {
	case <-e.opts.Stop:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// connection carries one connection's plan out under its lease.
func (e *executor) connection(ctx context.Context, c plan.Connection) (out Outcome) {
	out = Outcome{Address: c.Address, Left: plan.AnySteps(c.Steps())}
	switch {
	case len(c.Blocks) > 0:
		out.Status, out.Err = blockedAs(c.State()), errors.New(c.Blocks[0].Text)
		return out
	case len(c.Changes) == 0:
		out.Status = Unchanged
		return out
	case e.stopped(ctx), e.isHalted():
		out.Status = NotRun
		return out
	}
	defer func() { e.count(out) }()
	if err := e.needs(c); err != nil {
		out.Status, out.Err = Broken, err
		return out
	}
	e.event(Event{Address: c.Address, Kind: Started})
	within, end := trace.Start(ctx, "apply", trace.Connection(c.Address))
	out = e.leased(within, c)
	end(out.Err)
	e.event(Event{Address: c.Address, Kind: Finished, Err: out.Err, Text: string(out.Status)})
	return out
}

// blockedAs returns the status of what the plan blocks.
func blockedAs(state plan.State) Status {
	switch state {
	case plan.StateLeased:
		return Leased
	case plan.StateUnreadable:
		return Broken
	case plan.StateRefused, plan.StateChanges, plan.StateWaiting, plan.StateInSync:
	}
	return Blocked
}

// needs returns the failure of a shared step that the connection stands on.
func (e *executor) needs(c plan.Connection) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range c.Needs {
		if err := e.failed[g]; err != nil {
			return fmt.Errorf("%s: not begun, as it needs what failed: %w", c.Address, err)
		}
	}
	return nil
}

// steps runs steps in order and fills the outcome.
func steps[S plan.AnyStep](ctx context.Context, e *executor, address string, steps []S, do func(context.Context, S) (Deed, error)) Outcome {
	out := Outcome{Address: address, Status: Applied}
	for i, step := range steps {
		out.Left = plan.AnySteps(steps[i:])
		if e.stopped(ctx) {
			out.Status = NotRun
			return out
		}
		began := time.Now()
		within, end := trace.Start(ctx, step.String(), trace.Connection(address))
		deed, err := do(within, step)
		err = e.audited(address, step, deed, err)
		if wait, ok := errors.AsType[*waitError](err); ok {
			end(nil)
			out.Status, out.Wait = Waiting, &wait.wait
			return out
		}
		end(err)
		if err != nil {
			out.Status, out.Err = statusOf(err), fmt.Errorf("%s: %s: %w", address, step, err)
			e.event(Event{Address: address, Step: step, Kind: Failed, Err: err, Took: time.Since(began)})
			return out
		}
		out.Done = append(out.Done, step)
		e.event(Event{Address: address, Step: step, Kind: StepDone, Took: time.Since(began)})
	}
	out.Left = nil
	return out
}

// statusOf returns the status of a connection that ended with an error.
func statusOf(err error) Status {
	if errors.Is(err, vault.ErrLeased) {
		return Leased
	}
	return Broken
}

// waitError ends a connection whose next step is a person's.
type waitError struct{ wait Wait }

func (w *waitError) Error() string {
	return fmt.Sprintf("waiting for a person to authorize %q as %s: %s", w.wait.Client, w.wait.User, w.wait.URL)
}
