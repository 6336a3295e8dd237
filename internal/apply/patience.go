package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

// DefaultPatience outlasts the lease of a run that died.
const DefaultPatience = defaultLease + 30*time.Second

const (
	pollMost  = 2 * time.Second // between looks at a lease that another run holds
	pollLeast = 50 * time.Millisecond
)

// Patience bounds how long one run waits for the leases of others, from the first
// one that it meets. A nil Patience does not wait.
type Patience struct {
	most  time.Duration
	begin sync.Once
	until time.Time
}

// NewPatience returns the patience of one run; 0 does not wait.
func NewPatience(most time.Duration) *Patience { return &Patience{most: most} }

// Most returns how long the run waits at most.
func (p *Patience) Most() time.Duration {
	if p == nil {
		return 0
	}
	return p.most
}

// left returns how much is left, and begins it.
func (p *Patience) left() time.Duration {
	if p.Most() <= 0 {
		return 0
	}
	p.begin.Do(func() { p.until = time.Now().Add(p.most) })
	return time.Until(p.until)
}

// pause waits before the next look at a lease that can be taken after so long. It
// returns false when the patience is over, or the run was stopped.
func (p *Patience) pause(ctx context.Context, stop <-chan struct{}, free time.Duration) bool {
	left := p.left()
	if left <= 0 {
		return false
	}
	timer := time.NewTimer(min(left, pollMost, max(free, pollLeast)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
	case <-ctx.Done():
	}
	return false
}

// leases reads and judges leases: *vault.Client.
type leases interface {
	Read(ctx context.Context, path string) (record.Record, vault.Version, error)
	LeaseState(l *record.Lease) record.LeaseState
	Local(t time.Time) time.Time
}

// Await waits until no run holds the lease of the record at path, or the patience
// is over. What cannot be read is left to anyone who reads it next.
func (p *Patience) Await(ctx context.Context, client leases, path string) {
	for {
		rec, _, err := client.Read(ctx, path)
		l := rec.Lease
		if err != nil || client.LeaseState(l) != record.LeaseHeld || !p.pause(ctx, nil, time.Until(client.Local(l.Expires))) {
			return
		}
	}
}

// acquire takes the lease of the record at path, and waits for that of another
// run as long as the patience lasts. broken is a lease to break; nil for none.
func (e *executor) acquire(ctx context.Context, address, path string, seed record.Record, broken *record.Lease) (lease, error) {
	for waiting := false; ; waiting = true {
		held, err := e.sys.Lease(ctx, path, e.opts.Holder, e.opts.Lease, seed, broken)
		leased, ok := errors.AsType[*vault.LeasedError](err)
		if !ok {
			return held, err
		}
		if !waiting && e.opts.Patience.left() > 0 {
			e.event(Event{Address: address, Kind: Warning, Text: fmt.Sprintf("waiting for the lease of %s, up to %s", leased.Holder, e.opts.Patience.left().Round(time.Second))})
		}
		if !e.opts.Patience.pause(ctx, e.opts.Stop, leased.Left) {
			return nil, err
		}
	}
}
