package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

// TestLease holds what happens at the lease: others' are waited for as long as the
// patience lasts, one to be broken is taken, and a record that was changed since it
// was planned is planned again.
func TestLease(t *testing.T) {
	theirs := vault.LeasedError{Path: recordPath, Holder: "them", Left: time.Hour}
	others := func(w *world) { w.leased[recordPath] = theirs }
	edited := func(w *world) { w.record().Consumer.Created = began }
	replan := func(change func(*plan.Connection), err error) func(*world) func(context.Context, string) (plan.Connection, error) {
		return func(w *world) func(context.Context, string) (plan.Connection, error) {
			return func(context.Context, string) (plan.Connection, error) {
				c := planned(w, "a", prove, rename)
				change(&c)
				return c, err
			}
		}
	}
	same := func(*plan.Connection) {}
	for name, c := range map[string]struct {
		after  func(*world) // it was planned
		breaks string
		wait   time.Duration
		ends   time.Duration // the other's lease; 0: never
		replan func(*world) func(context.Context, string) (plan.Connection, error)
		status Status
		done   int
		err    string
		took   time.Duration
	}{
		"free":                                   {status: Applied, done: 2},
		"another's":                              {after: others, status: Leased, err: "a: taking the lease: corp/acme is leased by them"},
		"another's, for longer than we wait":     {after: others, wait: 5 * time.Second, status: Leased, err: "leased by them", took: 5 * time.Second},
		"another's, for a while":                 {after: others, wait: time.Minute, ends: 3 * time.Second, status: Applied, done: 2, took: 4 * time.Second},
		"another's, to be broken":                {after: others, breaks: "them", status: Applied, done: 3},
		"Vault is away":                          {after: func(w *world) { w.faults = map[int]fault{1: {failure: refused}} }, status: Broken, err: "a: taking the lease: lease corp/acme: no usable answer"},
		"changed":                                {after: edited, status: Stale, err: "a: its record in Vault was changed after it was planned; plan again"},
		"changed, the same is left":              {after: edited, replan: replan(same, nil), status: Applied, done: 2},
		"changed, less is left":                  {after: edited, replan: replan(func(c *plan.Connection) { c.Changes = c.Changes[1:] }, nil), status: Applied, done: 1},
		"changed, nothing is left":               {after: edited, replan: replan(func(c *plan.Connection) { c.Changes = nil }, nil), status: Unchanged},
		"changed, more is left":                  {after: edited, replan: replan(func(c *plan.Connection) { c.Changes = append(c.Changes, c.Changes[0]) }, nil), status: Stale, err: "plan again"},
		"changed, and blocked":                   {after: edited, replan: replan(func(c *plan.Connection) { c.Blocks = []plan.Block{{}} }, nil), status: Stale, err: "plan again"},
		"changed, and cannot be read":            {after: edited, replan: replan(same, errors.New("no answer")), status: Stale, err: "plan again: no answer"},
		"changed, to be broken":                  {after: func(w *world) { edited(w); others(w) }, breaks: "them", replan: replan(same, nil), status: Applied, done: 3},
		"changed, to be broken, nothing is left": {after: func(w *world) { edited(w); others(w) }, breaks: "them", replan: replan(func(c *plan.Connection) { c.Changes = nil }, nil), status: Applied, done: 1},
		"the description cannot be written": {after: func(w *world) {
			w.record().Protected = true
			w.faults = map[int]fault{2: {failure: refused}}
		}, status: Broken, err: "a: noting what it is: "},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := connected()
				steps := []plan.Step{prove, rename}
				if c.breaks != "" {
					steps = append([]plan.Step{plan.BreakLease{Holder: c.breaks}}, steps...)
				}
				p := planned(w, "a", steps...)
				opts := Options{Patience: NewPatience(c.wait), Progress: func(e Event) {
					if e.Kind == Warning {
						w.events = append(w.events, e.Text)
					}
				}}
				if c.after != nil {
					c.after(w)
				}
				if c.replan != nil {
					opts.Replan = c.replan(w)
				}
				if c.ends > 0 {
					time.AfterFunc(c.ends, func() {
						w.mu.Lock()
						defer w.mu.Unlock()
						delete(w.leased, recordPath)
					})
				}
				out := run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: []plan.Connection{p}}, opts).Connections[0]
				if out.Status != c.status || len(out.Done) != c.done || (out.Err == nil) != (c.err == "") || out.Err != nil && !strings.Contains(out.Err.Error(), c.err) {
					t.Errorf("%s, %d done, %v", out.Status, len(out.Done), out.Err)
				}
				if took := time.Since(began); took != c.took || len(w.held) > 0 {
					t.Errorf("took %s; %d leases are still held", took, len(w.held))
				}
				if waits := []string{fmt.Sprintf("waiting for the lease of them, up to %s", c.wait)}; c.took > 0 && !slices.Equal(w.events, waits) || c.took == 0 && w.events != nil {
					t.Errorf("said %q", w.events)
				}
			})
		})
	}
}

// TestDescribes brings what the record says of the connection up to date, and
// writes nothing when it is.
func TestDescribes(t *testing.T) {
	for name, c := range map[string]struct {
		before  func(*record.Record)
		removal bool
		want    []string
	}{
		"as it is":             {},
		"another address":      {before: func(r *record.Record) { r.Address = "b" }, want: []string{"write record"}},
		"another fleet":        {before: func(r *record.Record) { r.Fleet = "test" }, want: []string{"write record"}},
		"protected":            {before: func(r *record.Record) { r.Protected = true }, want: []string{"write record"}},
		"another organization": {before: func(r *record.Record) { r.Organization = "b" }, want: []string{"write record"}},
		"ended":                {before: func(r *record.Record) { r.Tombstone = &record.Tombstone{How: record.TombstoneForgotten} }, want: []string{"write record"}},
		"to be removed":        {before: func(r *record.Record) { r.Protected = true }, removal: true},
	} {
		inBubble(t, func(t *testing.T) {
			w := connected()
			want := showRecord(*w.record())
			if c.before != nil {
				c.before(w.record())
			}
			if c.removal {
				want = showRecord(*w.record())
			}
			p := planned(w, acme, prove)
			p.Removal = c.removal
			run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: []plan.Connection{p}}, Options{})
			calls := []string{"lease " + recordPath}
			calls = append(append(calls, c.want...), "request token")
			if have := showRecord(*w.record()); !slices.Equal(w.calls, calls) || len(changes(want, have)) > 0 {
				t.Errorf("%s: %q, changed %q", name, w.calls, changes(want, have))
			}
		})
	}
}

// TestServiceUserStays: the record's service user is the one that the SSH keys are
// on, and the files' one before there is a key.
func TestServiceUserStays(t *testing.T) {
	for name, c := range map[string]struct {
		have record.Record
		want string
	}{
		"no key":       {record.Record{ServiceUser: "old"}, serviceUser},
		"no user":      {record.Record{SSH: record.SSHKeys{Current: &record.SSHKey{}}}, serviceUser},
		"key and user": {record.Record{ServiceUser: "old", SSH: record.SSHKeys{Current: &record.SSHKey{}}}, "old"},
	} {
		if have := described(c.have, "prod", target()).ServiceUser; have != c.want {
			t.Errorf("%s: %s", name, have)
		}
	}
}

// unreleased is a world whose leases cannot be given back.
type unreleased struct{ *world }

type unreleasedLease struct{ *fakeLease }

func (w unreleased) Lease(ctx context.Context, path, holder string, ttl time.Duration, seed record.Record, broken *record.Lease) (lease, error) {
	if ttl != defaultLease {
		return nil, fmt.Errorf("a lease of %s", ttl)
	}
	h, err := w.world.Lease(ctx, path, holder, ttl, seed, broken)
	return unreleasedLease{h.(*fakeLease)}, err
}

func (h unreleasedLease) Release(ctx context.Context) error {
	if by, ok := ctx.Deadline(); !ok || time.Until(by) != releaseTime || ctx.Err() != nil {
		return errors.New("without its own time")
	}
	return vault.ErrUnavailable
}

// TestReleaseFails: that a lease could not be given back is a warning, also when
// the run was aborted.
func TestReleaseFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := connected()
		ctx, cancel := context.WithCancel(t.Context())
		var said []string
		run(ctx, unreleased{w}, plan.Plan{Fleet: "prod", Connections: []plan.Connection{planned(w, "a", prove, prove)}}, Options{Progress: func(e Event) {
			switch e.Kind {
			case StepDone:
				cancel()
			case Warning:
				said = append(said, e.Address+": "+e.Text)
			case Started, Failed, Finished:
			}
		}})
		if want := []string{"a: the lease was not given back and ends by itself: no usable answer from Vault"}; !slices.Equal(said, want) {
			t.Errorf("said %q", said)
		}
	})
}

// TestLeaseLostAtTheEnd: steps that were all done stay done.
func TestLeaseLostAtTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := connected()
		out := run(t.Context(), w, plan.Plan{Fleet: "prod", Connections: []plan.Connection{planned(w, "a", prove)}}, Options{Progress: func(e Event) {
			if e.Kind == StepDone {
				w.held[0].lose()
				synctest.Wait()
			}
		}}).Connections[0]
		if out.Status != Applied || out.Err != nil {
			t.Errorf("%s, %v", out.Status, out.Err)
		}
	})
}
