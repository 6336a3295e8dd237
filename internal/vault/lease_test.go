package vault_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox/front"
)

func TestLease(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		held, err := c.Acquire(t.Context(), "x", "ann@here", time.Minute, record.Record{Fleet: "corp"})
		if err != nil {
			t.Fatal(err)
		}
		if r := held.Record(); r.Fleet != "corp" || r.Generation == "" {
			t.Errorf("have %+v", r)
		}
		var leased *vault.LeasedError
		if _, err := c.Acquire(t.Context(), "x", "bob@there", time.Minute, record.Record{}); !errors.As(err, &leased) || leased.Holder != "ann@here" {
			t.Errorf("a second holder: have %v", err)
		}
		set := func(to string) func(*record.Record) error {
			return func(r *record.Record) error { r.Organization = to; return nil }
		}
		if err := held.Update(t.Context(), set("acme")); err != nil {
			t.Error(err)
		}
		// Someone who wants no lease writes in between; nothing is lost.
		change(t, c, "x", func(r *record.Record) { r.HostKeys = []string{"k"} })
		if err := held.Update(t.Context(), set("acme2")); err != nil {
			t.Error(err)
		}
		r, version, err := c.Read(t.Context(), "x")
		if err != nil || version != 4 || held.Version() != 4 || r.Organization != "acme2" || len(r.HostKeys) != 1 || r.Lease == nil || held.Err() != nil {
			t.Errorf("have %+v, %v, %v", r, err, held.Err())
		}
		if err := held.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if err := held.Update(t.Context(), set("late")); !errors.Is(err, vault.ErrLeaseLost) {
			t.Errorf("after release: have %v", err)
		}
		again, err := c.Acquire(t.Context(), "x", "bob@there", time.Minute, record.Record{Fleet: "not used"})
		if err != nil || again.Record().Organization != "acme2" {
			t.Fatalf("have %v", err)
		}
		if err := again.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Many want the same record; at no time do two have it.
func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		var holders, turns atomic.Int32
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				for done := 0; done < 3; {
					held, err := c.Acquire(t.Context(), "x", fmt.Sprint("worker ", i), time.Minute, record.Record{})
					if leased := (*vault.LeasedError)(nil); errors.As(err, &leased) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if holders.Add(1) != 1 {
						t.Error("two holders")
					}
					turns.Add(1)
					done++
					holders.Add(-1)
					if err := held.Release(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		if turns.Load() != 24 {
			t.Errorf("have %d turns", turns.Load())
		}
	})
}

// A holder cannot reach Vault (or was stopped) until its lease has run out and
// someone else has the record: then it finds out, and writes nothing.
func TestPausedHolderIsFenced(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		paused := b.login(t)
		held, err := paused.Acquire(t.Context(), "x", "paused", 2*time.Second, record.Record{Fleet: "corp"})
		if err != nil {
			t.Fatal(err)
		}
		b.order(t, front.Fault{Kind: front.Refuse, Times: -1}) // all that goes through the front
		<-held.Lost()
		if !errors.Is(held.Err(), vault.ErrLeaseLost) {
			t.Errorf("have %v", held.Err())
		}
		direct := b
		direct.address = b.root.Address()
		other := direct.login(t)
		var next *vault.LeasedRecord
		for next == nil {
			next, err = other.Acquire(t.Context(), "x", "other", time.Minute, record.Record{})
			if leased := (*vault.LeasedError)(nil); err != nil && !errors.As(err, &leased) {
				t.Fatal(err)
			}
		}
		b.front.ClearFaults()
		err = held.Update(t.Context(), func(r *record.Record) error { r.Fleet = "overwritten"; return nil })
		if !errors.Is(err, vault.ErrLeaseLost) {
			t.Errorf("have %v", err)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Errorf("releasing what is lost: %v", err)
		}
		if r, _, err := other.Read(t.Context(), "x"); err != nil || r.Fleet != "corp" || r.Lease == nil || r.Lease.Holder != "other" {
			t.Errorf("have %+v, %v", r, err)
		}
		if err := next.Update(t.Context(), func(*record.Record) error { return nil }); err != nil {
			t.Error(err)
		}
		_ = next.Release(t.Context())
	})
}

// The lease is taken from a holder that believes it is still its own: its next
// write loses the check-and-set.
func TestTakenLeaseIsNoticedByTheWrite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		held, err := c.Acquire(t.Context(), "x", "me", time.Minute, record.Record{})
		if err != nil {
			t.Fatal(err)
		}
		r := held.Record()
		r.Lease = &record.Lease{Holder: "thief", Nonce: "n", Expires: time.Now().Add(time.Hour)}
		if _, err := c.Write(t.Context(), "x", r, 1); err != nil {
			t.Fatal(err)
		}
		if err := held.Update(t.Context(), func(r *record.Record) error { r.Fleet = "late"; return nil }); !errors.Is(err, vault.ErrLeaseLost) {
			t.Errorf("have %v", err)
		}
		<-held.Lost()
		if err := held.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if r, _, _ := c.Read(t.Context(), "x"); r.Fleet != "" || r.Lease.Holder != "thief" {
			t.Errorf("have %+v", r)
		}
	})
}

// A lease outlives its ttl while its holder lives: it is renewed.
func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		held, err := c.Acquire(t.Context(), "x", "me", time.Second, record.Record{})
		if err != nil {
			t.Fatal(err)
		}
		begun := held.Record().Lease.Expires
		for held.Err() == nil && !held.Record().Lease.Expires.After(begun.Add(2*time.Second)) {
			time.Sleep(50 * time.Millisecond)
		}
		if err := held.Err(); err != nil {
			t.Error(err)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A record that was deleted with its history and made anew is not the same one,
// though its versions look alike.
func TestRecordMadeAnew(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		held, err := c.Acquire(t.Context(), "x", "me", time.Minute, record.Record{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.root.Logical().DeleteWithContext(t.Context(), b.kv+"/metadata/bbsync/x"); err != nil {
			t.Fatal(err)
		}
		if err := held.Update(t.Context(), func(*record.Record) error { return nil }); !errors.Is(err, vault.ErrLeaseLost) {
			t.Errorf("have %v", err)
		}
		_ = held.Release(t.Context())
	})
}

// Two machines whose clocks differ agree on a lease, since they go by Vault's.
func TestLeaseGoesByVaultsClock(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		const ahead = 10 * time.Minute
		b.shift.Store(int64(ahead))
		c := b.login(t)
		held, err := c.Acquire(t.Context(), "x", "me", time.Minute, record.Record{})
		if err != nil {
			t.Fatal(err)
		}
		if have := time.Until(held.Record().Lease.Expires); have < ahead-time.Minute || held.Err() != nil {
			t.Errorf("the lease ends in %v by our clock; %v", have, held.Err())
		}
		var leased *vault.LeasedError
		if _, err := c.Acquire(t.Context(), "x", "other", time.Minute, record.Record{}); !errors.As(err, &leased) {
			t.Errorf("have %v", err)
		}
		b.shift.Store(int64(ahead + time.Hour))
		later := b.login(t)
		taken, err := later.Acquire(t.Context(), "x", "other", time.Minute, record.Record{})
		if err != nil {
			t.Fatal(err)
		}
		if err := held.Update(t.Context(), func(*record.Record) error { return nil }); !errors.Is(err, vault.ErrLeaseLost) {
			t.Errorf("have %v", err)
		}
		_ = held.Release(t.Context())
		_ = taken.Release(t.Context())
	})
}

// A lease that no bbsync writes keeps nobody off: one that lasts for years, or
// one of nobody.
func TestBrokenLeaseIsTaken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		for path, lease := range map[string]record.Lease{
			"years":  {Holder: "eve", Nonce: "n", Expires: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)},
			"nobody": {Holder: "eve", Expires: time.Now().Add(time.Minute)},
		} {
			if _, err := c.Write(t.Context(), path, record.Record{Generation: "g", Lease: &lease}, 0); err != nil {
				t.Fatal(err)
			}
			if have := c.LeaseState(&lease); have != record.LeaseBroken {
				t.Errorf("%s: state %d", path, have)
			}
			held, err := c.Acquire(t.Context(), path, "ann", time.Minute, record.Record{})
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if err := held.Release(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.Acquire(t.Context(), "x", "ann", record.MaxLease+time.Second, record.Record{}); err == nil {
			t.Error("a lease was taken that nobody would believe")
		}
	})
}

// A lease is broken by name: the one that was seen, however often it was renewed,
// and not one that was taken since.
func TestLeaseIsBroken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		c := b.login(t)
		stuck, err := c.Acquire(t.Context(), "x", "stuck", time.Minute, record.Record{})
		if err != nil {
			t.Fatal(err)
		}
		seen := stuck.Record().Lease
		if err := stuck.Update(t.Context(), func(*record.Record) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if now := stuck.Record().Lease; !now.Taken.Equal(seen.Taken) || now.Taken.IsZero() {
			t.Errorf("renewed: %+v was %+v", now, seen)
		}
		next, err := c.Break(t.Context(), "x", "ann", time.Minute, record.Record{}, seen)
		if err != nil {
			t.Fatal(err)
		}
		if err := stuck.Update(t.Context(), func(*record.Record) error { return nil }); !errors.Is(err, vault.ErrLeaseLost) {
			t.Errorf("the holder of the broken lease writes: %v", err)
		}
		_, err = c.Break(t.Context(), "x", "bob", time.Minute, record.Record{}, seen)
		if leased, ok := errors.AsType[*vault.LeasedError](err); !ok || leased.Holder != "ann" || leased.Left <= 0 {
			t.Errorf("another lease was broken: %v", err)
		}
		if err := next.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
