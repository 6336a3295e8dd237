package front

import (
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is a token bucket: Burst requests at once, PerSecond more each second.
// A PerSecond of zero means unlimited.
type Rate struct {
	PerSecond float64 `json:"perSecond"`
	Burst     int     `json:"burst"` // zero: 1
}

// Bucket is one credential's state at a request.
type Bucket struct {
	Rate      Rate
	Remaining int           // whole requests left
	Wait      time.Duration // until the next request would pass; 0 if one would now
}

// RetryAfter is Wait in whole seconds, at least one, for the header of that name.
func (b Bucket) RetryAfter() string {
	seconds := max(1, int((b.Wait+time.Second-1)/time.Second))
	return strconv.Itoa(seconds)
}

func bareTooMany(w http.ResponseWriter, _ *http.Request, b Bucket) {
	w.Header().Set("Retry-After", b.RetryAfter())
	w.WriteHeader(http.StatusTooManyRequests)
}

type limiter struct {
	mu      sync.Mutex
	rate    Rate
	buckets map[[sha256.Size]byte]*rate.Limiter
}

func (l *limiter) set(r Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.PerSecond > 0 && r.Burst <= 0 {
		r.Burst = 1
	}
	l.rate, l.buckets = r, map[[sha256.Size]byte]*rate.Limiter{}
}

// take spends one request of the credential. It reports whether there is a limit
// at all, and whether the request is within it. A refused request costs nothing.
func (l *limiter) take(key [sha256.Size]byte, now time.Time) (b Bucket, limited, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate.PerSecond <= 0 {
		return Bucket{}, false, true
	}
	bucket := l.buckets[key]
	if bucket == nil {
		bucket = rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)
		l.buckets[key] = bucket
	}
	ok = bucket.AllowN(now, 1)
	left := bucket.TokensAt(now)
	b = Bucket{Rate: l.rate, Remaining: max(0, int(left))}
	if left < 1 {
		b.Wait = time.Duration((1 - left) / l.rate.PerSecond * float64(time.Second))
	}
	return b, true, ok
}

// credential is a hash, so that no secret is kept. A signed OAuth header differs
// at each request (nonce), so there the token in it is the credential.
func credential(r *http.Request) [sha256.Size]byte {
	header := r.Header.Get("Authorization")
	if scheme, params, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "OAuth") {
		for part := range strings.SplitSeq(params, ",") {
			if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && name == "oauth_token" {
				return sha256.Sum256([]byte(value))
			}
		}
	}
	if header == "" { // a server with its own header (Vault)
		header = r.Header.Get("X-Vault-Token")
	}
	return sha256.Sum256([]byte(header))
}
