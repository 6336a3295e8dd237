package bitbucket

import (
	"net/http"
	"sync"
	"time"
)

// clock knows how far the server's clock is from ours. OAuth 1.0a refuses
// timestamps that are a few minutes off.
type clock struct {
	mu    sync.Mutex
	skew  time.Duration
	known bool
}

// Clock returns how far the server's clock is ahead of ours (negative: behind),
// by the Date header of the newest answer, to about a second. known is false
// before any answer had one.
func (c *Client) Clock() (skew time.Duration, known bool) {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	return c.clock.skew, c.clock.known
}

// look reads the Date header of an answer to a request sent at begin.
func (k *clock) look(h http.Header, begin, end time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || h.Get("Age") != "" { // Age: a cache answered
		return
	}
	date = date.Add(500 * time.Millisecond) // the header has whole seconds
	skew := date.Sub(begin.Add(end.Sub(begin) / 2))
	if skew.Abs() < 1500*time.Millisecond { // below what the header can tell
		skew = 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.skew, k.known = skew.Round(time.Second), true
}
