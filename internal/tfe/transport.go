package tfe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/trace"
)

// maxAnswer bounds what is read of one answer. A page of 100 workspaces is
// about half a megabyte.
const maxAnswer = 32 << 20

// maxRefusals bounds how often one request is repeated that the server refuses
// with 429. The limiter's pause between them is the server's own word.
const maxRefusals = 10

// transport is the RoundTripper of every request, including go-tfe's ping. It paces
// requests, waits out refusals, keeps the rate limit's headers from go-tfe (see the
// package comment), and notes the response, whose status go-tfe loses.
type transport struct {
	http    *httpx.Transport
	limiter *limit.Limiter
	first   atomic.Pointer[context.Context] // for the ping, which comes without one
}

func (t *transport) client() *http.Client { return httpx.Client(trace.Transport(t)) }

// boot makes ctx the context of requests that have none, until the func that it
// returns is called.
func (t *transport) boot(ctx context.Context) func() {
	t.first.Store(&ctx)
	return func() { t.first.Store(nil) }
}

// An exchange is what came back for one request.
type exchange struct {
	status int // 0: no answer
	body   []byte
	page   *httpx.Page // nil: it is no web page
}

type exchangeKey struct{}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if boot := t.first.Load(); boot != nil && ctx.Value(exchangeKey{}) == nil {
		ctx = *boot
	}
	body, err := drain(req)
	if err != nil {
		return nil, err
	}
	for refusals := 0; ; refusals++ {
		if err := t.limiter.Wait(ctx); err != nil {
			return nil, err
		}
		resp, answer, err := t.attempt(ctx, req, body)
		if err != nil {
			return nil, err
		}
		t.limiter.Seen(resp.StatusCode, advice(resp.Header))
		if resp.StatusCode == http.StatusTooManyRequests {
			if refusals < maxRefusals {
				continue // the limiter waits
			}
			note(ctx, resp, answer)
			return nil, errRefused // as an answer, go-tfe would repeat it
		}
		note(ctx, resp, answer)
		if err := httpx.Redirected(resp); err != nil {
			return nil, err
		}
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"} {
			resp.Header.Del(name)
		}
		if resp.StatusCode >= http.StatusBadRequest {
			answer = []byte(`{"errors":[]}`) // go-tfe crashes on {"errors":[null]}; the answer is noted
		}
		resp.Body = io.NopCloser(bytes.NewReader(answer))
		return resp, nil
	}
}

var errRefused = errors.New("the rate limit stays exceeded")

func drain(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	return body, err
}

// attempt sends the request once. net/http may repeat it by itself where the server
// says that it did not process it: GetBody lets it.
func (t *transport) attempt(ctx context.Context, req *http.Request, body []byte) (*http.Response, []byte, error) {
	try := req.WithContext(ctx)
	if body != nil {
		try.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		try.Body, _ = try.GetBody()
	}
	resp, err := t.http.RoundTrip(try)
	if err != nil {
		return nil, nil, err
	}
	answer, err := httpx.Bytes(resp.Body)
	return resp, answer, err
}

func note(ctx context.Context, resp *http.Response, body []byte) {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		return
	}
	x.status, x.body, x.page = resp.StatusCode, body, nil
	if page, ok := httpx.ReadPage(resp.Header, body); ok {
		x.page = &page
	}
}

// advice reads the rate limit's headers, malformed ones as none.
func advice(h http.Header) limit.Advice {
	wait := limit.Seconds(h.Get("Retry-After"))
	if wait == 0 {
		wait = limit.Seconds(h.Get("X-RateLimit-Reset"))
	}
	return limit.Advice{Rate: limit.Rate{PerSecond: limit.Number(h.Get("X-RateLimit-Limit"))}, RetryAfter: wait}
}
