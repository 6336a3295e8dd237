package cli

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/limit"
)

// A progressRate is the text beside a progress bar: how fast work is done, which rate
// limits slow it down, and how long it will take.
type progressRate struct {
	things  string
	figures func() map[string]limit.Figures
	began   time.Time

	mu       sync.Mutex
	sampled  time.Time
	before   map[string]limit.Figures
	requests string // per second, of the last sample
	slowed   string // by which limits
}

// sampleEvery is long enough to read the figures.
const sampleEvery = time.Second

func newProgressRate(now time.Time, things string, figures func() map[string]limit.Figures) *progressRate {
	p := &progressRate{things: things, figures: figures, began: now, sampled: now}
	if figures != nil {
		p.before = figures()
	}
	return p
}

func (p *progressRate) text(now time.Time, done, total int64) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sample(now)
	parts := []string{fmt.Sprintf(" %d/%d %s", done, total, p.things)}
	for _, part := range []string{p.left(now, done, total), p.requests, p.slowed} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// left estimates the remaining time from the mean of the work so far.
func (p *progressRate) left(now time.Time, done, total int64) string {
	spent := now.Sub(p.began)
	if done == 0 || done >= total || spent < 2*time.Second {
		return ""
	}
	left := time.Duration(float64(spent) / float64(done) * float64(total-done))
	if left < time.Second {
		return ""
	}
	return left.Round(time.Second).String() + " left"
}

// sample computes the rate since the last sample from the limiters' figures.
func (p *progressRate) sample(now time.Time) {
	since := now.Sub(p.sampled)
	if p.figures == nil || since < sampleEvery {
		return
	}
	figures := p.figures()
	var requests int64
	var slowed []string
	for name, f := range figures {
		was := p.before[name]
		requests += f.Requests - was.Requests
		host, _, _ := strings.Cut(strings.TrimPrefix(name, "https://"), " ")
		switch {
		case f.Throttled > was.Throttled:
			slowed = append(slowed, host+" refuses more")
		case f.Waits > was.Waits && f.Rate.PerSecond > 0:
			slowed = append(slowed, fmt.Sprintf("%s allows %.3g/s", host, f.Rate.PerSecond))
		}
	}
	slices.Sort(slowed)
	p.requests = fmt.Sprintf("%.0f requests/s", float64(requests)/since.Seconds())
	p.slowed = ""
	if len(slowed) > 0 {
		p.slowed = "at the limit: " + strings.Join(slowed, ", ")
	}
	p.sampled, p.before = now, figures
}
