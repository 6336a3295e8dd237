package authorize

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/tfe"
)

// Terraform is what a Watch asks of it.
type Terraform interface {
	Clients(ctx context.Context, organization string) ([]tfe.OAuthClient, error)
	AuthorizedRepos(ctx context.Context, tokenID string) ([]string, error)
	Explain404(ctx context.Context, organization string) error
}

// Open returns the client for an organization on the terraform block with this
// label: its limiter bounds what a Watch asks.
type Open func(ctx context.Context, label, organization string) (Terraform, error)

// Options of a Watch.
type Options struct {
	First time.Duration // pause before the first look; 0: 2 s. Pauses grow until something happens
	Most  time.Duration // the longest pause; 0: 10 s
	Round int           // organizations looked at in a round; 0: 20. The others have their turn later
	Stay  bool          // a wrong user is waited for, too: somebody is shown how to undo it
}

const (
	parallel = 4               // organizations asked at once
	growth   = 1.3             // of the pause, each quiet round
	quick    = time.Second     // between looks at where a person was just sent to
	fresh    = 3 * time.Minute // how long one that a person was sent to is looked at in every round
)

// A Watch looks after requests until they are settled. It may be used by many
// goroutines.
type Watch struct {
	open     Open
	requests []Request
	opts     Options
	nudge    chan struct{}

	mu      sync.Mutex
	status  []Status
	sent    map[organization]time.Time // where a person was sent to, and when
	next    int                        // where the next round begins
	changed chan struct{}              // closed at a change, and replaced
}

type organization struct{ terraform, name string }

// New returns a Watch. Nothing is asked before Run or Check.
func New(open Open, requests []Request, opts Options) *Watch {
	if opts.First == 0 {
		opts.First = 2 * time.Second
	}
	if opts.Most == 0 {
		opts.Most = 10 * time.Second
	}
	if opts.Round == 0 {
		opts.Round = 20
	}
	w := &Watch{
		open: open, requests: requests, opts: opts,
		nudge: make(chan struct{}, 1), sent: map[organization]time.Time{}, changed: make(chan struct{}),
	}
	for _, r := range requests {
		w.status = append(w.status, r.start())
	}
	return w
}

// Requests returns what is waited for.
func (w *Watch) Requests() []Request { return w.requests }

// Look returns every request's status, and a channel that closes at the next
// change.
func (w *Watch) Look() ([]Status, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Status{}, w.status...), w.changed
}

// Sent says that a person was sent to this request's link: it is looked at soon
// and often.
func (w *Watch) Sent(i int) {
	w.mu.Lock()
	w.sent[w.requests[i].organization()] = time.Now()
	w.mu.Unlock()
	select {
	case w.nudge <- struct{}{}:
	default: // it is nudged already
	}
}

// Run looks until every request is settled, or the context ends. Where a person
// was just sent to is looked at every second, the others at a pace that slows
// down while nothing happens.
func (w *Watch) Run(ctx context.Context) error {
	pause := w.opts.First
	all := time.Now().Add(pause)  // when the others have their turn
	soon := time.Now().Add(quick) // when those have that a person was just sent to: a nudge does not put it off
	for !w.settled() {
		at := all
		if len(w.turn(false)) > 0 && soon.Before(all) {
			at = soon
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.nudge:
			continue
		case <-time.After(time.Until(at)):
		}
		whole := !time.Now().Before(all)
		changed := w.round(ctx, w.turn(whole))
		soon = time.Now().Add(quick)
		if whole {
			pause = min(time.Duration(float64(pause)*growth), w.opts.Most)
			if changed {
				pause = w.opts.First
			}
			all = time.Now().Add(pause)
		}
	}
	return nil
}

// Check looks at one request now.
func (w *Watch) Check(ctx context.Context, i int) Status {
	w.organization(ctx, w.requests[i].organization())
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status[i]
}

func (w *Watch) settled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.status {
		if !s.Settled(w.opts.Stay) {
			return false
		}
	}
	return true
}

// round looks at these organizations and reports whether something changed.
func (w *Watch) round(ctx context.Context, turn []organization) bool {
	_, before := w.Look()
	group := new(errgroup.Group)
	group.SetLimit(parallel)
	for _, o := range turn {
		group.Go(func() error { w.organization(ctx, o); return nil })
	}
	_ = group.Wait() // statuses carry the errors
	select {
	case <-before:
		return true
	default:
		return false
	}
}

// turn returns the organizations of the next round: those that a person was
// just sent to and, when it is a whole one, as many others as it has room for.
func (w *Watch) turn(whole bool) []organization {
	w.mu.Lock()
	defer w.mu.Unlock()
	var first, rest []organization
	known := map[organization]bool{}
	begin := w.next
	for i := range w.requests {
		i = (begin + i) % len(w.requests)
		o := w.requests[i].organization()
		if w.status[i].Settled(w.opts.Stay) || known[o] {
			continue
		}
		known[o] = true
		switch {
		case time.Since(w.sent[o]) < fresh:
			first = append(first, o)
		case whole && len(rest) < w.opts.Round:
			rest = append(rest, o)
			if len(rest) == w.opts.Round {
				w.next = i + 1
			}
		}
	}
	return append(first, rest...)
}

// organization asks once for all the requests of an organization.
func (w *Watch) organization(ctx context.Context, o organization) {
	client, err := w.open(ctx, o.terraform, o.name)
	var clients []tfe.OAuthClient
	if err == nil {
		clients, err = client.Clients(ctx, o.name)
	}
	if client != nil && errors.Is(err, tfe.ErrNotFound) { // forbidden looks the same: ask why
		err = client.Explain404(ctx, o.name)
	}
	if ctx.Err() != nil {
		return // stopped, which says nothing of the requests
	}
	for i, r := range w.requests {
		if r.organization() == o {
			w.see(i, r.look(ctx, client, clients, err))
		}
	}
}

// look picks a request's client out of its organization's.
func (r Request) look(ctx context.Context, terraform Terraform, clients []tfe.OAuthClient, err error) seen {
	if err != nil {
		return seen{err: err}
	}
	for _, c := range clients {
		if c.ID != r.ClientID {
			continue
		}
		s := seen{client: true}
		if c.Token == nil {
			return s
		}
		s.token, s.user = c.Token.ID, c.Token.User
		if s.token == r.Token && r.Person.Dead {
			_, err := terraform.AuthorizedRepos(ctx, s.token)
			s.works = err == nil
		}
		return s
	}
	return seen{}
}

// see notes what was seen of a request. What is settled stays so.
func (w *Watch) see(i int, s seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.status[i]
	if before.Settled(w.opts.Stay) {
		return
	}
	after := w.requests[i].judge(before, s)
	w.status[i] = after
	if after.State != before.State || !names.SameUser(after.User, before.User) || after.Old != before.Old || (after.Err == nil) != (before.Err == nil) {
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

func (r Request) organization() organization { return organization{r.Terraform, r.Organization} }
