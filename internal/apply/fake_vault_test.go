package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

// fakeLease is a lease that a test can take away.
type fakeLease struct {
	w    *world
	path string
	lost chan struct{}
	err  error
}

func (h *fakeLease) lose() {
	h.err = fmt.Errorf("%w: another run took it", vault.ErrLeaseLost)
	close(h.lost)
}

func (h *fakeLease) stored() *stored       { return h.w.records[h.path] }
func (h *fakeLease) Err() error            { return h.err }
func (h *fakeLease) Lost() <-chan struct{} { return h.lost }
func (h *fakeLease) Record() record.Record {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	return copyRecord(h.stored().record)
}

func (h *fakeLease) Version() vault.Version {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	return h.stored().version
}

func (h *fakeLease) write(r record.Record) {
	h.stored().record, h.stored().version = r, h.stored().version+1
}

func (h *fakeLease) DestroyOlder(ctx context.Context) error {
	return h.w.DestroyOlder(ctx, h.path, h.Version())
}

// Update calls change again when another write came in between, or the answer
// was lost, as the real one does.
func (h *fakeLease) Update(ctx context.Context, change func(*record.Record) error) error {
	if h.err != nil {
		return h.err
	}
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	before := copyRecord(h.stored().record)
	f, ok := h.w.enter(ctx, "write record")
	switch {
	case h.err != nil:
		return h.err
	case ctx.Err() != nil:
		return ctx.Err()
	case !ok:
		return vault.ErrUnavailable
	}
	if f.failure == changed { // the write is refused: another version is there
		if err := change(&before); err != nil {
			return err
		}
	}
	tries := 1
	if f.failure == answerLost {
		tries = 2
	}
	for range tries {
		r := copyRecord(h.stored().record)
		if err := change(&r); err != nil {
			return err
		}
		h.write(r)
	}
	return nil
}

func (h *fakeLease) Release(context.Context) error {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if h.err == nil {
		r := copyRecord(h.stored().record)
		r.Lease = nil
		h.write(r)
	}
	h.w.held = slices.DeleteFunc(h.w.held, func(other *fakeLease) bool { return h == other })
	return nil
}

// copyRecord copies what a change could reach.
func copyRecord(r record.Record) record.Record {
	r.Consumer = copied(r.Consumer)
	for c := r.Consumer; c != nil; c = c.Previous {
		c.Previous = copied(c.Previous)
	}
	r.SSH = record.SSHKeys{Pending: copied(r.SSH.Pending), Current: copied(r.SSH.Current), Previous: copied(r.SSH.Previous)}
	r.Link, r.Client, r.Lease, r.Retired, r.Tombstone, r.Moving = copied(r.Link), copied(r.Client), copied(r.Lease), copied(r.Retired), copied(r.Tombstone), copied(r.Moving)
	r.HostKeys = slices.Clone(r.HostKeys)
	return r
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	have := *p
	return &have
}
