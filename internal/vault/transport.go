package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/trace"
)

// maxAnswer bounds what is read of one answer. A list of 100,000 names is 2 MB.
const maxAnswer = 64 << 20

// transport is the RoundTripper of every request, including those vault/api makes
// without a context. It refuses the redirects that vault/api would follow, and
// learns Vault's clock.
type transport struct {
	http   *httpx.Transport
	redact *httpx.Redactor // knows every token of this client
	skew   atomic.Int64    // Vault's clock minus ours, in nanoseconds
}

func newTransport(alive context.Context, cfg Config) (*transport, error) {
	origin, err := url.Parse(cfg.url())
	if err != nil {
		return nil, fmt.Errorf("vault: address: %w", err)
	}
	redact := httpx.NewRedactor(cfg.Auth.Token, cfg.Auth.SecretID, cfg.Auth.JWT, cfg.Auth.Password)
	inner, err := httpx.New(httpx.Options{
		Origin: origin, Socket: cfg.socket(), CA: cfg.CA, Gateway: cfg.Gateway, Timeout: cfg.Timeout, MaxBody: maxAnswer, UserAgent: cfg.UserAgent, Alive: alive, Redact: redact,
	})
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return &transport{http: inner, redact: redact}, nil
}

func (t *transport) client() *http.Client { return httpx.Client(trace.Transport(t)) }

// RoundTrip implements http.RoundTripper. A standby redirects its clients to the
// active node: the token does not follow.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := t.http.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.learn(resp.Header.Get("Date"), began)
	if err := httpx.Redirected(resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// minSent is the length from which on a string of a record counts as a secret.
const minSent = 12

// sends returns a context whose requests have body: an answer that repeats a
// string of it, a private key above all, is redacted.
func sends(ctx context.Context, body []byte) context.Context {
	return httpx.WithSecrets(ctx, func() []secret.Text {
		var document any
		_ = json.Unmarshal(body, &document) // it was marshalled just now
		return longStrings(document)
	})
}

func longStrings(v any) []secret.Text {
	var found []secret.Text
	switch v := v.(type) {
	case string:
		if len(v) >= minSent {
			found = append(found, secret.New(v))
		}
	case []any:
		for _, value := range v {
			found = append(found, longStrings(value)...)
		}
	case map[string]any:
		for _, value := range v {
			found = append(found, longStrings(value)...)
		}
	}
	return found
}

// learn takes Vault's clock from an answer. The header has whole seconds.
func (t *transport) learn(date string, began time.Time) {
	told, err := http.ParseTime(date)
	if err != nil {
		return // no clock to learn; ours has to do
	}
	middle := began.Add(time.Since(began) / 2)
	t.skew.Store(int64(told.Add(500 * time.Millisecond).Sub(middle)))
}

// now is the time by Vault's clock, to a second.
func (t *transport) now() time.Time {
	return time.Now().Add(time.Duration(t.skew.Load())).UTC()
}
