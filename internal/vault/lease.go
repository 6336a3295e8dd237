package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/record"
)

// updateTries bounds read-change-write loops. Each turn is lost to another
// writer who got on, so the bound is met only when something is very wrong.
const updateTries = 20

// A LeasedRecord is a lease on a record. Its writes are the only ones that go through as
// long as it lasts: they name the version they build on, and everyone who wants
// the record has to write it first. It is renewed in the background; each Update
// renews it, too.
//
// A lease does not stop a process that was paused: before an effect on another
// system ask Err, and note the effect with Update after it.
type LeasedRecord struct {
	c     *Client
	path  string
	nonce string
	ttl   time.Duration

	mu      sync.Mutex // held while writing
	record  record.Record
	version Version

	until atomic.Pointer[time.Time] // by our own clock, less a margin: it may have run out after that

	lost context.Context // done when the lease is lost or released
	lose context.CancelCauseFunc
	done chan struct{} // closed when renewing has ended
}

// Acquire takes the lease of the record at path for holder, a text that tells a
// person who it is. An absent or deleted record is created from seed. If someone else holds
// it, the error is a LeasedError. ttl is how long others wait for a holder that
// died, at most record.MaxLease; it is renewed at a third of that.
func (c *Client) Acquire(ctx context.Context, path, holder string, ttl time.Duration, seed record.Record) (*LeasedRecord, error) {
	return c.Break(ctx, path, holder, ttl, seed, nil)
}

// Break is Acquire that also takes the lease while this one is held, however
// often it was renewed. Its holder cannot write the record from then on.
func (c *Client) Break(ctx context.Context, path, holder string, ttl time.Duration, seed record.Record, broken *record.Lease) (*LeasedRecord, error) {
	if ttl <= 0 || ttl > record.MaxLease {
		return nil, fmt.Errorf("vault: %s: a lease of %v", c.shown(path), ttl)
	}
	h := &LeasedRecord{c: c, path: path, nonce: rand.Text(), ttl: ttl}
	for range updateTries {
		r, version, err := c.Read(ctx, path)
		var deleted *DeletedError
		switch {
		case errors.Is(err, ErrNotFound):
			r, version = record.New(seed), 0
		case errors.As(err, &deleted): // who plans has seen it and says how to get it back
			r, version = record.New(seed), deleted.Version
		case err != nil:
			return nil, err
		}
		if l := r.Lease; c.LeaseState(l) == record.LeaseHeld && !l.Same(broken) {
			return nil, &LeasedError{Path: c.shown(path), Holder: l.Holder, Expires: l.Expires, Age: c.LeaseAge(l), Left: l.Expires.Add(record.ClockMargin).Sub(c.transport.now())}
		}
		err = h.write(ctx, r, version, holder)
		if err == nil {
			h.begin()
			return h, nil
		}
		if !errors.Is(err, ErrConflict) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("vault: %s: %w, %d times in a row (who else is writing?)", c.shown(path), ErrConflict, updateTries)
}

// write writes r with the lease prolonged. h.mu is held, or h is not yet shared.
func (h *LeasedRecord) write(ctx context.Context, r record.Record, cas Version, holder string) error {
	began := time.Now()
	now := h.c.transport.now()
	taken := now
	if h.record.Lease != nil {
		taken = h.record.Lease.Taken
	}
	r.Lease = &record.Lease{Holder: holder, Nonce: h.nonce, Taken: taken, Expires: now.Add(h.ttl)}
	version, deletes, err := h.c.write(ctx, h.path, r, cas)
	if err != nil {
		return err
	}
	r.Deletes = deletes
	until := began.Add(h.ttl - min(record.ClockMargin, h.ttl/4))
	h.record, h.version = r, version
	h.until.Store(&until)
	return nil
}

func (h *LeasedRecord) begin() {
	h.lost, h.lose = context.WithCancelCause(h.c.alive)
	h.done = make(chan struct{})
	h.c.tasks.Go(func() {
		defer close(h.done)
		h.renew()
	})
}

// renew prolongs the lease until it is lost. It tries often enough that two lost
// requests do no harm.
func (h *LeasedRecord) renew() {
	for h.Err() == nil {
		if httpx.Sleep(h.lost, min(h.ttl/3, max(time.Until(*h.until.Load()), 0))) != nil {
			return
		}
		h.mu.Lock()
		if time.Until(*h.until.Load()) < h.ttl/2 { // else an Update has renewed it
			ctx, cancel := context.WithDeadline(h.lost, *h.until.Load())
			// If it fails for now, the next turn tries again; if for good, the lease is lost already.
			_ = h.change(ctx, func(*record.Record) error { return nil })
			cancel()
		}
		h.mu.Unlock()
	}
}

// Record returns a copy of the record as last written or read by this holder.
func (h *LeasedRecord) Record() record.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.record.Clone()
}

// Version returns the version of what Record returns, for DestroyOlder.
func (h *LeasedRecord) Version() Version {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version
}

// Update changes the record and prolongs the lease. When someone else wrote the
// record without taking the lease, change is called again with what they wrote.
// ErrLeaseLost says that somebody else has the lease, or that it ran out: then
// nothing was written.
func (h *LeasedRecord) Update(ctx context.Context, change func(*record.Record) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.change(ctx, change)
}

// DestroyOlder destroys for good the versions of the record before the newest,
// which is the holder's own.
func (h *LeasedRecord) DestroyOlder(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.Err(); err != nil {
		return err
	}
	return h.c.DestroyOlder(ctx, h.path, h.version)
}

func (h *LeasedRecord) change(ctx context.Context, change func(*record.Record) error) error {
	for range updateTries {
		if err := h.Err(); err != nil {
			return err
		}
		r := h.record.Clone()
		if err := change(&r); err != nil {
			return err
		}
		err := h.write(ctx, r, h.version, h.record.Lease.Holder)
		if err == nil {
			return nil
		}
		// After an unknown outcome too: what is there now is what counts.
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnknownOutcome) {
			return err
		}
		if err := h.reread(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("vault: %s: %w, %d times in a row (who else is writing?)", h.c.shown(h.path), ErrConflict, updateTries)
}

// reread takes over what others wrote, or finds that the lease is gone.
func (h *LeasedRecord) reread(ctx context.Context) error {
	r, version, err := h.c.Read(ctx, h.path)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDeleted) {
		return h.fail(err)
	}
	if err != nil {
		return err
	}
	switch {
	case r.Generation != h.record.Generation:
		return h.fail(errors.New("the record was deleted and made anew"))
	case r.Lease == nil || r.Lease.Nonce == "":
		return h.fail(errors.New("someone else ended it"))
	case r.Lease.Nonce != h.nonce:
		return h.fail(fmt.Errorf("%s took it", clean(r.Lease.Holder)))
	}
	h.record, h.version = r, version
	return nil
}

// fail ends the lease, and returns the error that Err returns from now on.
func (h *LeasedRecord) fail(why error) error {
	h.lose(fmt.Errorf("vault: %s: %w: %w", h.c.shown(h.path), ErrLeaseLost, why))
	return context.Cause(h.lost)
}

// Lost is closed when the lease is lost, or released, or the client closed.
func (h *LeasedRecord) Lost() <-chan struct{} { return h.lost.Done() }

// Err returns an error that is ErrLeaseLost if the lease is lost, or may have
// run out while this process was held up; nil means that it is ours for now.
func (h *LeasedRecord) Err() error {
	if h.lost.Err() == nil {
		now, until := time.Now(), *h.until.Load()
		// By the wall clock too: the other one stands still while a machine sleeps.
		if now.Before(until) && now.Round(0).Before(until.Round(0)) {
			return nil
		}
		return h.fail(errors.New("it ran out before it could be renewed"))
	}
	if err := context.Cause(h.lost); errors.Is(err, ErrLeaseLost) {
		return err
	}
	return fmt.Errorf("vault: %s: %w: the client was closed", h.c.shown(h.path), ErrLeaseLost)
}

// Release gives the lease back, by a write: a delete has no check-and-set and
// could remove someone else's. To release a lease that is lost is no error.
func (h *LeasedRecord) Release(ctx context.Context) error {
	h.mu.Lock()
	err := h.release(ctx)
	h.mu.Unlock()
	h.lose(fmt.Errorf("vault: %s: %w: it was released", h.c.shown(h.path), ErrLeaseLost))
	<-h.done
	return err
}

func (h *LeasedRecord) release(ctx context.Context) error {
	for range updateTries {
		if h.Err() != nil {
			return nil
		}
		r := h.record
		r.Lease = nil
		_, err := h.c.Write(ctx, h.path, r, h.version)
		if !errors.Is(err, ErrConflict) {
			return err
		}
		if err := h.reread(ctx); err != nil && !errors.Is(err, ErrLeaseLost) {
			return err
		}
	}
	return fmt.Errorf("vault: %s: %w, %d times in a row (who else is writing?)", h.c.shown(h.path), ErrConflict, updateTries)
}
