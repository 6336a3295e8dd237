package cli

import (
	"maps"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/limit"
)

func TestPace(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	figures := map[string]limit.Figures{"https://t.example token 1": {Rate: limit.Rate{PerSecond: 30}}, "https://b.example admin": {}}
	p := newProgressRate(now, "steps", func() map[string]limit.Figures {
		return maps.Clone(figures)
	})
	say := func(after time.Duration, done int64, want string) {
		t.Helper()
		if got := p.text(now.Add(after), done, 100); got != want {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
	}
	say(0, 0, " 0/100 steps")
	figures["https://t.example token 1"] = limit.Figures{Requests: 60, Waits: 4, Rate: limit.Rate{PerSecond: 30}}
	figures["https://b.example admin"] = limit.Figures{Requests: 20, Throttled: 1}
	say(500*time.Millisecond, 5, " 5/100 steps")
	say(4*time.Second, 10, " 10/100 steps, 36s left, 20 requests/s, at the limit: b.example refuses more, t.example allows 30/s")
	say(5*time.Second, 50, " 50/100 steps, 5s left, 0 requests/s")
	say(6*time.Second, 100, " 100/100 steps, 0 requests/s")
}
