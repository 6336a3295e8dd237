package bitbucket

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	maxTries = 5
	// A refusal for the rate (429) is no failure of the server's, and until its
	// limit is found out one request may meet several.
	maxRefusals = 12
	maxBackoff  = 10 * time.Second
	maxPatience = 2 * time.Minute // a server that asks for more is not waited for
)

// again reports whether the request should be repeated, and after how long.
func (c *Client) again(q call, err error, try int) (time.Duration, bool) {
	var e *Error
	if err == nil || !errors.As(err, &e) || e.retryAfter > maxPatience {
		return 0, false
	}
	if try >= maxTries && (e.Status != http.StatusTooManyRequests || try >= maxRefusals) {
		return 0, false
	}
	unavailable, broken := errors.Is(e, ErrUnavailable), errors.Is(e, ErrBadAnswer) && q.method == http.MethodGet
	if !unavailable && !broken || !e.undone && !q.idempotent {
		return 0, false
	}
	if e.Status >= 300 && e.Status < 400 {
		return 0, false
	}
	wait := min(c.backoff<<min(try-1, 16), maxBackoff)
	return max(wait/2+rand.N(wait/2+1), e.retryAfter), true //nolint:gosec // jitter needs no secrecy
}
