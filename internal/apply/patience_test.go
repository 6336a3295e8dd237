package apply

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

// TestPatience counts the looks at leases that never end: they are bounded by the
// patience of the whole run, however many leases it meets.
func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		patience *Patience
		most     time.Duration
	}{
		"none":      {nil, 0},
		"no wait":   {NewPatience(0), 0},
		"some time": {NewPatience(time.Minute), time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				for range 2 { // leases
					for c.patience.pause(t.Context(), nil, time.Hour) {
					}
				}
				if waited := time.Since(began); waited != c.most {
					t.Errorf("waited %v, want %v", waited, c.most)
				}
			})
		})
	}
}

// TestPatienceIsInterrupted stops a wait, as the first interrupt does.
func TestPatienceIsInterrupted(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	if NewPatience(time.Hour).pause(context.Background(), stop, time.Hour) {
		t.Error("goes on waiting after it was stopped")
	}
}

// TestPausesBetweenLooks bounds how often a lease is read while it is waited for.
func TestPausesBetweenLooks(t *testing.T) {
	for free, want := range map[time.Duration]int{0: 20, time.Second: 1, time.Hour: 1} {
		synctest.Test(t, func(t *testing.T) {
			p, looks := NewPatience(time.Second), 0
			for p.pause(t.Context(), nil, free) {
				looks++
			}
			if looks != want {
				t.Errorf("%s: %d looks, want %d", free, looks, want)
			}
		})
	}
	if most := (*Patience)(nil).Most(); most != 0 {
		t.Error(most)
	}
}

// otherLease is one that another run holds until it expires, by a clock that is an
// hour ahead.
type otherLease struct {
	expires time.Time
	err     error
	reads   *int
}

func (l otherLease) Read(_ context.Context, path string) (record.Record, vault.Version, error) {
	*l.reads++
	if path != recordPath {
		return record.Record{}, 0, errors.New("another path")
	}
	return record.Record{Lease: &record.Lease{Expires: l.expires.Add(time.Hour)}}, 1, l.err
}

func (l otherLease) LeaseState(have *record.Lease) record.LeaseState {
	if time.Now().Before(l.Local(have.Expires)) {
		return record.LeaseHeld
	}
	return record.LeaseFree
}

func (otherLease) Local(t time.Time) time.Time { return t.Add(-time.Hour) }

// TestAwait waits for another run before a plan, as long as the patience lasts.
func TestAwait(t *testing.T) {
	for name, c := range map[string]struct {
		ends, wait time.Duration
		err        error
		took       time.Duration
		reads      int
	}{
		"free":              {took: 0, wait: time.Minute, reads: 1},
		"held for a moment": {ends: time.Second, wait: time.Minute, took: time.Second, reads: 2},
		"held for a while":  {ends: 5 * time.Second, wait: time.Minute, took: 5 * time.Second, reads: 4},
		"held for long":     {ends: time.Hour, wait: 3 * time.Second, took: 3 * time.Second, reads: 3},
		"no wait":           {ends: time.Hour, reads: 1},
		"cannot be read":    {ends: time.Hour, wait: time.Minute, err: errors.New("no answer"), reads: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			reads := 0
			NewPatience(c.wait).Await(t.Context(), otherLease{time.Now().Add(c.ends), c.err, &reads}, recordPath)
			if took := time.Since(began); took != c.took || reads != c.reads {
				t.Errorf("%s: took %s, %d reads", name, took, reads)
			}
		})
	}
}
