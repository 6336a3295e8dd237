package fault_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
)

// An answer is what a server says to every request. The zero answer is that of a
// server that works.
type answer struct {
	status int
	media  string
	body   string
}

const loginPage = `<html><head><title>Sign in</title></head><body><input type="password"></body></html>`

// serve starts a server that works until an answer is set.
func serve(t *testing.T) (url string, set func(answer)) {
	t.Helper()
	var now atomic.Pointer[answer]
	now.Store(&answer{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := *now.Load()
		if a.status == 0 || strings.Contains(r.URL.Path, "lookup-self") { // Vault's token stays good
			a = answer{200, "application/json", `{"data":{"ttl":0,"path":"secret/","type":"kv","options":{"version":"2"}}}`}
		}
		w.Header().Set("Content-Type", a.media)
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	return server.URL, func(a answer) { now.Store(&a) }
}

// readers return a read of each system.
var readers = map[string]func(t *testing.T, url string) func(context.Context) error{
	"terraform": func(t *testing.T, url string) func(context.Context) error {
		t.Helper()
		c, err := tfe.New(t.Context(), tfe.Config{Address: url, Token: secret.New("token-of-a-team"), Patience: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return func(ctx context.Context) error { _, err := c.Organization(ctx, "acme"); return err }
	},
	"bitbucket": func(t *testing.T, url string) func(context.Context) error {
		t.Helper()
		c, err := bitbucket.New(bitbucket.Config{URL: url, Username: "admin", Password: secret.New("a password"), Backoff: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return func(ctx context.Context) error { _, err := c.SSHKeys(ctx, "svc"); return err }
	},
	"vault": func(t *testing.T, url string) func(context.Context) error {
		t.Helper()
		c, err := vault.Login(t.Context(), vault.Config{Address: url, Auth: vault.Auth{Token: secret.New("a token of Vault")}, Patience: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return func(ctx context.Context) error { _, _, err := c.Read(ctx, "corp/acme"); return err }
	},
}

// TestAdaptersAgree has every system answer with an error in its own form: the kind is
// the same whichever it is, and there is something to do about it.
func TestAdaptersAgree(t *testing.T) {
	t.Parallel()
	const (
		listed = `{"errors":[{"context":null,"message":"odd","exceptionName":"com.example.OddException"}]}`
		plain  = `{"errors":["odd"]}`
		media  = "application/json"
	)
	for name, tc := range map[string]struct {
		kind fault.Kind
		said map[string]answer // by system
	}{
		"a refused credential": {fault.CredentialRefused, map[string]answer{
			"terraform": {401, media, plain}, "bitbucket": {401, media, listed},
		}},
		"a missing permission": {fault.Forbidden, map[string]answer{
			"terraform": {403, media, plain}, "bitbucket": {403, media, listed}, "vault": {403, media, `{"errors":["permission denied"]}`},
		}},
		"no such object": {fault.Missing, map[string]answer{
			"terraform": {404, media, plain}, "bitbucket": {404, media, listed}, "vault": {404, media, `{"errors":[]}`},
		}},
		"values that it rejects": {fault.Invalid, map[string]answer{
			"terraform": {422, media, plain}, "bitbucket": {400, media, listed},
		}},
		"away": {fault.Unavailable, map[string]answer{
			"terraform": {503, media, plain}, "bitbucket": {503, media, listed}, "vault": {503, media, `{"errors":["Vault is sealed"]}`},
		}},
		"an error of its own": {fault.Unavailable, map[string]answer{
			"terraform": {500, media, plain}, "bitbucket": {500, media, listed}, "vault": {500, media, plain},
		}},
		"too many requests": {fault.RateLimited, map[string]answer{"vault": {429, media, plain}}},
		"cut short": {fault.BrokenAnswer, map[string]answer{
			"terraform": {200, media, `{"data":{"id"`}, "bitbucket": {200, media, `{"values":[`}, "vault": {200, media, `{"data":{"data"`},
		}},
		"another shape": {fault.BrokenAnswer, map[string]answer{
			"terraform": {200, media, `{"data":{"id":7}}`}, "bitbucket": {200, media, `{"values":7}`}, "vault": {200, media, `{"data":7}`},
		}},
		"a login page": {fault.Gateway, map[string]answer{
			"terraform": {200, "text/html", loginPage}, "bitbucket": {200, "text/html", loginPage}, "vault": {200, "text/html", loginPage},
		}},
		"a firewall's refusal": {fault.Gateway, map[string]answer{
			"terraform": {403, "text/html", "<html></html>"}, "bitbucket": {403, "text/html", "<html></html>"}, "vault": {403, "text/html", "<html></html>"},
		}},
	} {
		for system, said := range tc.said {
			t.Run(name+"/"+system, func(t *testing.T) {
				t.Parallel()
				url, set := serve(t)
				read := readers[system](t, url)
				set(said)
				err := read(t.Context())
				if kind := fault.KindOf(err); err == nil || kind != tc.kind {
					t.Fatalf("have kind %q, want %q: %v", kind, tc.kind, err)
				}
				cause, fix := fault.Explain(err)
				if cause == "" || strings.Contains(cause, fix) && fix != "" {
					t.Errorf("cause %q, fix %q", cause, fix)
				}
				if fix == "" && tc.kind != fault.Missing && tc.kind != fault.Invalid {
					t.Errorf("nobody learns what to do: %v", err)
				}
			})
		}
	}
}
