package tfe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/trace"
)

// maxAnswer bounds what is read of one answer. A page of 100 workspaces is
// about half a megabyte.
const maxAnswer = 32 << 20

// maxRefusals bounds how often one request is repeated that the server refuses
// with 429. The limiter's pause between them is the server's own word.
const maxRefusals = 10

// A door is what every request to Terraform goes through, go-tfe's ping
// included: it paces, sets the deadline, waits out refusals, keeps the token
// from other hosts, keeps the rate limit's headers from go-tfe (see the package
// comment), and notes the answer, whose status go-tfe loses.
type door struct {
	transport *http.Transport
	host      string
	timeout   time.Duration
	limiter   *limit.Limiter
	first     atomic.Pointer[context.Context] // for the ping, which comes without one
}

func newDoor(host string, timeout time.Duration, limiter *limit.Limiter, conf *tls.Config) *door {
	return &door{host: host, timeout: timeout, limiter: limiter, transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
	}}
}

func (d *door) client() *http.Client {
	return &http.Client{Transport: trace.Transport(d), CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != d.host || req.URL.Scheme != via[0].URL.Scheme {
			return fmt.Errorf("terraform redirects to %s://%s, where the token was not meant to go (if that is right, make it the address)",
				clean(req.URL.Scheme), clean(req.URL.Host))
		}
		if len(via) >= 5 {
			return errors.New("terraform redirects in circles")
		}
		return nil
	}}
}

// boot makes ctx the context of requests that have none, until the func that it
// returns is called.
func (d *door) boot(ctx context.Context) func() {
	d.first.Store(&ctx)
	return func() { d.first.Store(nil) }
}

// An exchange is what came back for one request.
type exchange struct {
	status int // 0: no answer
	body   []byte
	html   bool
}

type exchangeKey struct{}

// RoundTrip implements http.RoundTripper.
func (d *door) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if boot := d.first.Load(); boot != nil && ctx.Value(exchangeKey{}) == nil {
		ctx = *boot
	}
	body, err := drain(req)
	if err != nil {
		return nil, err
	}
	for refusals := 0; ; refusals++ {
		if err := d.limiter.Wait(ctx); err != nil {
			return nil, err
		}
		resp, answer, err := d.once(ctx, req, body)
		if err != nil {
			return nil, err
		}
		d.limiter.Seen(resp.StatusCode, advice(resp.Header))
		if resp.StatusCode == http.StatusTooManyRequests {
			if refusals < maxRefusals {
				continue // the limiter waits
			}
			note(ctx, resp, answer)
			return nil, errRefused // as an answer, go-tfe would repeat it
		}
		note(ctx, resp, answer)
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

// once reads the whole answer, so that the deadline covers the body too.
func (d *door) once(ctx context.Context, req *http.Request, body []byte) (*http.Response, []byte, error) {
	limited, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	try := req.Clone(limited)
	if body != nil {
		try.Body = io.NopCloser(bytes.NewReader(body))
		try.GetBody = nil // a write is sent once
	}
	resp, err := d.transport.RoundTrip(try)
	if err == nil {
		var answer []byte
		answer, err = readAll(resp)
		_ = resp.Body.Close()
		if err == nil && len(answer) > maxAnswer {
			err = fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)
		}
		if err == nil {
			return resp, answer, nil
		}
	}
	if ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %v", d.timeout) // and not the caller's deadline
	}
	return nil, nil, err
}

// usualAnswer holds an organization's OAuth client with its token: with it most
// answers are read into one buffer that never grows.
const usualAnswer = 4 << 10

func readAll(resp *http.Response) ([]byte, error) {
	size := int64(usualAnswer)
	if n := resp.ContentLength; n >= 0 && n <= maxAnswer {
		size = n
	}
	body := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // ReadFrom grows what has not MinRead left
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	return body.Bytes(), err
}

func note(ctx context.Context, resp *http.Response, body []byte) {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		x.status, x.body = resp.StatusCode, body
		x.html = bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
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
