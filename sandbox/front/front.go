// Package front is the door that every server of the sandbox stands behind. It
// counts requests by route, writes an access log that can hold no secret, adds
// latency, limits the rate per credential, and misbehaves to order, so that a
// test can ask for the very request to be lost.
//
// It knows nothing of the protocols behind it: what a 429 looks like, and what a
// route is called, the server says (Options.TooMany, Route).
package front

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// Options configure a Front. The zero value counts and passes through.
type Options struct {
	Name    string        // names the server in the access log
	Log     io.Writer     // access log, one line for each request; nil: none
	Latency time.Duration // added before each request is handled
	Rate    Rate          // token bucket for each credential; zero: unlimited

	Gateway *Gateway // lets requests through; nil: all

	// TooMany answers a request that exceeds the rate; nil: a bare 429 with
	// Retry-After.
	TooMany func(w http.ResponseWriter, r *http.Request, b Bucket)
	// Announce adds the server's own rate limit headers to every other answer of
	// a limited server; nil: none.
	Announce func(h http.Header, b Bucket)

	Now func() time.Time // nil: time.Now
}

// Front wraps a server's handler. It is safe for concurrent use.
type Front struct {
	next   http.Handler
	opts   Options
	counts counter
	limits limiter
	faults orders
	logMu  sync.Mutex

	mu      sync.Mutex
	latency time.Duration
}

// New returns next behind a front.
func New(next http.Handler, opts Options) *Front {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.TooMany == nil {
		opts.TooMany = bareTooMany
	}
	f := &Front{next: next, opts: opts, latency: opts.Latency}
	f.limits.set(opts.Rate)
	return f
}

// SetLatency changes the latency of the requests to come.
func (f *Front) SetLatency(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latency = d
}

// SetRate changes the limit and forgets what was used of it; the zero Rate lifts it.
func (f *Front) SetRate(r Rate) { f.limits.set(r) }

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := f.opts.Now()
	name := new(routeName)
	r = r.WithContext(context.WithValue(r.Context(), routeKey{}, name))
	count := sync.OnceFunc(func() { f.counts.add(r.Method + " " + name.or(r)) })
	out := &statusWriter{ResponseWriter: w, begun: count}
	// Deferred, since a fault may end the request with a panic (http.ErrAbortHandler).
	defer func() {
		count()
		f.log(r, out.status, f.opts.Now().Sub(begin))
	}()
	if !f.opts.Gateway.admits(r) {
		f.opts.Gateway.Answer(out, r)
		return
	}
	f.mu.Lock()
	latency := f.latency
	f.mu.Unlock()
	if !sleep(r.Context(), latency) {
		return
	}
	bucket, limited, ok := f.limits.take(credential(r), f.opts.Now())
	if limited && !ok {
		f.opts.TooMany(out, r, bucket)
		return
	}
	if limited && f.opts.Announce != nil {
		f.opts.Announce(out.Header(), bucket)
	}
	f.serve(out, r)
}

// sleep waits for d and reports whether the request is still wanted.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// statusWriter remembers the status for the log. Status 0 in the log means that
// the connection was closed without an answer.
//
// begun counts the request before its answer begins, so that a client that has
// its answer finds it counted.
type statusWriter struct {
	http.ResponseWriter
	status int
	begun  func()
}

func (w *statusWriter) WriteHeader(status int) {
	w.begun()
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.begun()
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
