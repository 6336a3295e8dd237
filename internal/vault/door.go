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

// A door is what every request to Vault goes through, those of vault/api's own
// helpers included, which know no context: it refuses the redirects that vault/api
// would follow, and learns Vault's clock.
type door struct {
	transport *httpx.Transport
	redact    *httpx.Redactor // knows every token of this client
	skew      atomic.Int64    // Vault's clock minus ours, in nanoseconds
}

func newDoor(alive context.Context, cfg Config) (*door, error) {
	origin, err := url.Parse(cfg.url())
	if err != nil {
		return nil, fmt.Errorf("vault: address: %w", err)
	}
	redact := httpx.NewRedactor(cfg.Auth.Token, cfg.Auth.SecretID, cfg.Auth.JWT, cfg.Auth.Password)
	transport, err := httpx.New(httpx.Options{
		Origin: origin, Socket: cfg.socket(), CA: cfg.CA, Gateway: cfg.Gateway, Timeout: cfg.Timeout, MaxBody: maxAnswer, UserAgent: cfg.UserAgent, Alive: alive, Redact: redact,
	})
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return &door{transport: transport, redact: redact}, nil
}

func (d *door) client() *http.Client { return httpx.Client(trace.Transport(d)) }

// RoundTrip implements http.RoundTripper. A standby redirects its clients to the
// active node: the token does not follow.
func (d *door) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := d.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	d.learn(resp.Header.Get("Date"), began)
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
func (d *door) learn(date string, began time.Time) {
	t, err := http.ParseTime(date)
	if err != nil {
		return // no clock to learn; ours has to do
	}
	middle := began.Add(time.Since(began) / 2)
	d.skew.Store(int64(t.Add(500 * time.Millisecond).Sub(middle)))
}

// now is the time by Vault's clock, to a second.
func (d *door) now() time.Time {
	return time.Now().Add(time.Duration(d.skew.Load())).UTC()
}
