package limit

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Advice is what the headers of one answer say. Zero fields: nothing.
type Advice struct {
	Rate       Rate
	RetryAfter time.Duration // from a refusal (429): when to come back
}

// A Reader reads one server's rate limit headers. It must take any header, well
// formed or not; Seconds and Number help.
type Reader func(http.Header) Advice

// defaultPause is how long a refusal without Retry-After keeps requests back.
const defaultPause = 5 * time.Second

// Transport paces the requests of base (nil: http.DefaultTransport), learns the
// limit from every answer through read (nil: Retry-After alone), and pauses the
// credential when the server answers 429. It does not retry: a retry that goes
// through it again waits for its turn.
func (l *Limiter) Transport(base http.RoundTripper, read Reader) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	if l == nil {
		return base
	}
	if read == nil {
		read = func(h http.Header) Advice { return Advice{RetryAfter: Seconds(h.Get("Retry-After"))} }
	}
	return &transport{l, base, read}
}

type transport struct {
	limiter *Limiter
	base    http.RoundTripper
	read    Reader
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.limiter.Wait(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper closes the body whatever happens
		}
		return nil, err
	}
	answer, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	t.limiter.Seen(answer.StatusCode, t.read(answer.Header))
	return answer, nil
}

// Seen learns from an answer, for those who call Wait themselves instead of
// using a Transport: a time limit of one request should begin after Wait.
func (l *Limiter) Seen(status int, a Advice) {
	if l == nil {
		return
	}
	l.SetLimit(a.Rate)
	if status != http.StatusTooManyRequests {
		return
	}
	if a.RetryAfter <= 0 {
		a.RetryAfter = defaultPause
	}
	l.Pause(a.RetryAfter)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the base.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Seconds reads a header that counts seconds ("5", "0.25") or names a time, as
// Retry-After does. Whatever else it holds, negative and absurd values included,
// is 0; more than an hour is an hour.
func Seconds(value string) time.Duration {
	value = strings.TrimSpace(value)
	if n := Number(value); n > 0 {
		return time.Duration(min(n, maxPause.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), maxPause)
	}
	return 0
}

// Number reads a header that holds one finite number above zero; else 0.
func Number(value string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || n < 0 {
		return 0
	}
	return n
}
