package httpx

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// A Backoff repeats something at growing distances.
type Backoff struct {
	First    time.Duration // mean wait before the second try; then doubling
	Most     time.Duration // mean wait at most
	Patience time.Duration // no try begins later than this after the first; 0: Tries decides
	Tries    int           // at most; 0: Patience decides

	Jitter func(time.Duration) time.Duration          // makes a wait of a mean; nil: between half and one and a half
	Sleep  func(context.Context, time.Duration) error // nil: Sleep
}

// Do calls try until it succeeds, again refuses its error, or patience ends, and
// returns the last error.
func (b Backoff) Do(ctx context.Context, again func(error) bool, try func() error) error {
	began := time.Now()
	for n := 1; ; n++ {
		err := try()
		if err == nil || !again(err) {
			return err
		}
		wait := b.Wait(n)
		if b.Tries > 0 && n >= b.Tries || b.Patience > 0 && time.Since(began)+wait > b.Patience {
			return err
		}
		if ended := b.sleep(ctx, wait); ended != nil {
			return errors.Join(ended, err)
		}
	}
}

// Wait returns how long to wait after the n-th try.
func (b Backoff) Wait(n int) time.Duration {
	mean := b.First << min(n-1, 16)
	if b.Most > 0 {
		mean = min(mean, b.Most)
	}
	if b.Jitter != nil {
		return b.Jitter(mean)
	}
	return mean/2 + rand.N(mean+1) //nolint:gosec // jitter needs no secrecy
}

func (b Backoff) sleep(ctx context.Context, d time.Duration) error {
	if b.Sleep != nil {
		return b.Sleep(ctx, d)
	}
	return Sleep(ctx, d)
}

// Sleep waits, or returns the context's error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
