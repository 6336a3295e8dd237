package httpx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// RoundTrip implements http.RoundTripper. Errors, answers that are no success, and
// web pages contain none of the client's secrets.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.send(req)
	if err != nil {
		return nil, t.redactor(req.Context()).Error(err)
	}
	t.redact(req.Context(), resp)
	return resp, nil
}

func (t *Transport) send(req *http.Request) (*http.Response, error) {
	if o := t.options.Origin; o != nil && !sameOrigin(o, req.URL) {
		closeBody(req)
		return nil, &RedirectError{To: place(req.URL), Away: true}
	}
	ctx, cancel := context.WithTimeout(req.Context(), t.options.Timeout)
	defer cancel()
	defer context.AfterFunc(t.options.Alive, cancel)()
	out := req.WithContext(ctx)         // keeps GetBody: net/http repeats what the server says it did not process
	out.Header = maps.Clone(req.Header) // its values are replaced, not changed
	if t.options.UserAgent != "" {
		out.Header.Set("User-Agent", t.options.UserAgent)
	}
	t.options.Gateway.set(out.Header)
	resp, err := t.base.RoundTrip(out)
	if err == nil {
		t.answered.Store(true)
		if resp.TLS != nil && t.chain.Load() == nil {
			t.chain.Store(&resp.TLS.PeerCertificates)
		}
		err = t.readWhole(ctx, resp)
	}
	if err != nil {
		return nil, t.explain(req.Context(), ctx, err)
	}
	return resp, nil
}

// explain says that it was our own deadline or Close, where it was.
func (t *Transport) explain(caller, own context.Context, err error) error {
	switch {
	case t.options.Alive.Err() != nil:
		return errors.New("the client was closed")
	case caller.Err() == nil && errors.Is(own.Err(), context.DeadlineExceeded):
		return &TimeoutError{After: t.options.Timeout}
	}
	return t.explainCertificate(ExplainTLS(err))
}

// A TimeoutError says that the Transport's own deadline passed, not the caller's.
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string { return fmt.Sprintf("no answer within %s", e.After) }

// Unwrap returns context.DeadlineExceeded.
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // a RoundTripper closes the body in every case
	}
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(hostPort(a), hostPort(b))
}

func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case strings.EqualFold(u.Scheme, "http"):
		port = "80"
	default:
		port = "443"
	}
	return u.Hostname() + ":" + port
}
