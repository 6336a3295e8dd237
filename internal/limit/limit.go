// Package limit keeps the requests of one credential just below what a server
// allows it. A Limiter belongs to the credential, not to a client: whoever uses
// the same token shares the same Limiter, since the server counts them together.
//
// It does not retry and knows no server's headers: a Reader says what they mean.
package limit

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Rate is what a server allows: a token bucket of Burst requests that regains
// PerSecond requests each second. A PerSecond of zero means unknown, or no limit.
type Rate struct {
	PerSecond float64
	Burst     int // zero: a tenth of a second's requests, at least one
}

// Options configure a Limiter.
type Options struct {
	Rate  Rate    // what the server allows; zero: unlimited until it says otherwise
	Share float64 // of the rate to use, above 0 up to 1; zero: 0.97

	// Fixed keeps Rate whatever the server's headers say, for servers that send
	// none or that lie. A refused request still pauses the Limiter.
	Fixed bool

	// OnPause is told of every pause of a minute or more, once; nil: nobody is.
	OnPause func(time.Duration)
}

const (
	defaultShare = 0.97
	// minFactor is the least share of a known limit that refusals can bring a
	// Limiter down to; a limit shared with very busy others must not stop it
	// altogether. Each refusal takes a fifth off, each minute without one gives a
	// tenth back.
	minFactor = 0.05
	slowBy    = 0.8
	regain    = 0.1
	// A limit that the server does not tell is guessed: what went through when it
	// first refused, at least firstGuess; half of that at each refusal, a tenth more
	// after every probe without one.
	firstGuess = 5
	minGuess   = 1
	halve      = 0.5
	grow       = 1.1
	probe      = 10 * time.Second
	// maxPause bounds what a server can ask for.
	maxPause = time.Hour
)

// A Limiter paces the requests of one credential. It is safe for concurrent use.
// The nil Limiter paces nothing.
type Limiter struct {
	mu      sync.Mutex
	share   float64
	fixed   bool
	onPause func(time.Duration)
	rate    Rate          // what the server allows
	guessed bool          // rate was derived from refusals, the server said nothing
	factor  float64       // less than 1 after refusals
	changed time.Time     // when factor last changed
	paused  time.Time     // nobody goes before this
	bucket  *rate.Limiter // at rate × share × factor
	recent  meter
	figures Figures
}

// New returns a Limiter.
func New(o Options) *Limiter {
	l := &Limiter{share: o.Share, fixed: o.Fixed, onPause: o.OnPause, factor: 1, bucket: rate.NewLimiter(rate.Inf, 1)}
	if !(l.share > 0 && l.share <= 1) {
		l.share = defaultShare
	}
	if o.Rate.PerSecond > 0 {
		l.rate = o.Rate
		l.retune(time.Now())
	}
	return l
}

// SetLimit tells what the server allows, as its headers say. It costs nothing to
// tell the same again.
func (l *Limiter) SetLimit(r Rate) {
	if l == nil || !(r.PerSecond > 0) || math.IsInf(r.PerSecond, 0) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fixed || r == l.rate && !l.guessed {
		return
	}
	l.rate, l.guessed = r, false
	l.retune(time.Now())
}

// Pause keeps every request of the credential back for d, since the server
// refused one, and goes slower from then on.
func (l *Limiter) Pause(d time.Duration) {
	if l == nil {
		return
	}
	d = min(max(d, 0), maxPause)
	if longer := l.pause(d); longer && d >= longPause && l.onPause != nil {
		l.onPause(d)
	}
}

// longPause is a pause that a user notices.
const longPause = time.Minute

// pause reports whether it is a new pause, or one that ends later by a longPause.
func (l *Limiter) pause(d time.Duration) (longer bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.Throttled++
	until := now.Add(d)
	if now.Before(l.paused) { // one overrun, several answers
		longer = until.Sub(l.paused) >= longPause
		if until.After(l.paused) {
			l.paused = until
		}
		return longer
	}
	l.paused = until
	l.slow(now)
	return true
}

func (l *Limiter) slow(now time.Time) {
	l.heal(now)
	if l.rate.PerSecond <= 0 {
		l.rate, l.guessed = Rate{PerSecond: max(firstGuess, l.recent.rate(now))}, true
	}
	if l.guessed {
		l.rate.PerSecond = max(minGuess, l.rate.PerSecond*halve)
	} else {
		l.factor = max(minFactor, l.factor*slowBy)
	}
	l.changed = now
	l.retune(now)
	if n := int(l.bucket.TokensAt(now)); n > 0 { // the server's bucket is empty, so is ours
		l.bucket.AllowN(now, n)
	}
}

// heal gives back what refusals took, with time.
func (l *Limiter) heal(now time.Time) {
	since := now.Sub(l.changed)
	switch {
	case l.guessed && since >= probe:
		steps := min(int(since/probe), 100) // a finite number, whatever the idle time
		l.rate.PerSecond = min(l.rate.PerSecond*math.Pow(grow, float64(steps)), 1e6)
	case !l.guessed && l.factor < 1 && since >= time.Minute:
		l.factor = min(1, l.factor+regain*math.Floor(since.Minutes()))
	default:
		return
	}
	l.changed = now
	l.retune(now)
}

func (l *Limiter) retune(now time.Time) {
	per := l.rate.PerSecond * l.share * l.factor
	burst := l.rate.Burst
	if burst <= 0 {
		burst = int(l.rate.PerSecond / 10)
	}
	// A little less than the server's own bucket: requests bunch up on their way.
	l.bucket.SetBurstAt(now, max(1, int(float64(burst)*l.share*l.factor)))
	l.bucket.SetLimitAt(now, rate.Limit(per))
}

// Wait returns when a request may be sent, or with the context's error.
func (l *Limiter) Wait(ctx context.Context) error {
	if l == nil {
		return ctx.Err()
	}
	begin := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		now := time.Now()
		pause, place := l.reserve(now)
		if pause > 0 {
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			continue // the waiters of a pause take places after it, not to go all at once
		}
		if err := sleep(ctx, place.DelayFrom(now)); err != nil {
			place.Cancel()
			return err
		}
		if l.done(begin) {
			return nil
		}
	}
}

// reserve takes a place in the row, or tells how long the row is closed.
func (l *Limiter) reserve(now time.Time) (pause time.Duration, place *rate.Reservation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.paused) {
		return l.paused.Sub(now), nil
	}
	l.heal(now)
	return 0, l.bucket.ReserveN(now, 1)
}

// done counts a request that may go. It reports false when the server refused
// another one meanwhile, so that this one has to wait again.
func (l *Limiter) done(begin time.Time) bool {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.paused) {
		return false
	}
	l.recent.add(now)
	l.figures.Requests++
	if waited := now.Sub(begin); waited > time.Millisecond {
		l.figures.Waits++
		l.figures.Waited += waited
	}
	return true
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return fmt.Errorf("the rate limit asks for %s, past the deadline: %w", d.Round(time.Millisecond), context.DeadlineExceeded)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
