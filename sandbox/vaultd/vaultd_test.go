package vaultd_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/sandbox/vaultd"
)

// What a client sees of check-and-set, policies and logins is tested by the
// contract of internal/vault, together with the real server. Here is what only
// the sandbox has.

func client(t *testing.T, s *vaultd.Server, token string) *api.Client {
	t.Helper()
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	c, err := api.NewClient(&api.Config{Address: web.URL, HttpClient: web.Client()})
	if err != nil {
		t.Fatal(err)
	}
	c.SetToken(token)
	return c
}

func TestStateIsKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first, err := vaultd.New(vaultd.Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	first.Mount("team/old", 1)
	for _, err := range []error{
		first.PutPolicy("p", `path "secret/data/platform/*" { capabilities = ["read"] }`),
		first.PutSecret("secret/platform/hcp", map[string]string{"token": "t1"}),
		first.PutSecret("secret/platform/hcp", map[string]string{"token": "t2"}),
		first.PutSecret("team/old/x", map[string]string{"a": "b"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := first.PutSecret("nowhere/x", nil); err == nil {
		t.Error("no mount, and no error")
	}
	roleID, secretID := first.AppRole("bbsync", vaultd.TokenRequest{Policies: []string{"p"}})
	token := first.Token(vaultd.TokenRequest{Policies: []string{"p"}})
	if err := first.Save(); err != nil {
		t.Fatal(err)
	}
	second, err := vaultd.New(vaultd.Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	if second.RootToken != first.RootToken {
		t.Error("another root token")
	}
	c := client(t, second, token)
	have, err := c.KVv2("secret").Get(t.Context(), "platform/hcp")
	if err != nil || have.Data["token"] != "t2" || have.VersionMetadata.Version != 2 {
		t.Errorf("have %+v, %v", have, err)
	}
	login, err := c.Logical().WriteWithContext(t.Context(), "auth/approle/login", map[string]any{"role_id": roleID, "secret_id": secretID})
	if err != nil || login.Auth.ClientToken == "" {
		t.Errorf("have %v", err)
	}
	c.SetToken(second.RootToken)
	old, err := c.KVv1("team/old").Get(t.Context(), "x")
	if err != nil || old.Data["a"] != "b" {
		t.Errorf("have %+v, %v", old, err)
	}
}

func TestTokensEndByTheClock(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, err := vaultd.New(vaultd.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, s, s.Token(vaultd.TokenRequest{TTL: time.Minute, Max: 90 * time.Second}))
	for _, step := range []struct {
		wait  time.Duration
		alive bool
	}{{50 * time.Second, true}, {30 * time.Second, true}, {20 * time.Second, false}} {
		now = now.Add(step.wait)
		_, err := c.Auth().Token().RenewSelfWithContext(t.Context(), 60)
		if (err == nil) != step.alive {
			t.Errorf("have %v", err)
		}
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	s, err := vaultd.New(vaultd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	root := client(t, s, s.RootToken)
	rules := `
		path "secret/data/a/*" { capabilities = ["read"] }
		path "secret/data/a/b" { capabilities = ["update"] }
		path "secret/data/+/deny" { capabilities = ["deny"] }
		path "secret/data/+/c*" { capabilities = ["list"] }`
	if err := s.PutPolicy("p", rules); err != nil {
		t.Fatal(err)
	}
	token := s.Token(vaultd.TokenRequest{Policies: []string{"p"}})
	c := client(t, s, token)
	for path, want := range map[string]string{
		"secret/data/a/x": "read", "secret/data/a/b": "update", "secret/data/z/deny": "deny", "secret/data/z/cc/d": "list",
		"secret/data/z/x": "deny", "secret/data/a/deny": "read", // the later wildcard is the more specific
	} {
		have, err := c.Sys().CapabilitiesSelfWithContext(t.Context(), path)
		if err != nil || strings.Join(have, ",") != want {
			t.Errorf("%s: have %v, %v, want %s", path, have, err, want)
		}
	}
	for _, bad := range []string{
		`path "x" { capabilities = ["fly"] }`, `pa th`, `path "x" { capabilities = ["read"] min_wrapping_ttl = 1 }`,
		`path "x/{{identity.entity.id}}" { capabilities = ["read"] }`,
	} {
		if err := root.Sys().PutPolicyWithContext(t.Context(), "bad", bad); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
	c.SetToken(token)
	if _, err := c.Auth().Token().CreateWithContext(t.Context(), &api.TokenCreateRequest{Policies: []string{"root"}}); err == nil {
		t.Error("a token made root")
	}
}

func TestSealAndHealth(t *testing.T) {
	t.Parallel()
	s, err := vaultd.New(vaultd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, s, s.RootToken)
	c.SetMaxRetries(0)
	for _, sealed := range []bool{true, false} {
		s.Seal(sealed)
		health, err := c.Sys().HealthWithContext(t.Context())
		if err != nil || health.Sealed != sealed || health.Version == "" {
			t.Errorf("have %+v, %v", health, err)
		}
		_, err = c.Sys().ListMountsWithContext(t.Context())
		if (err != nil) != sealed {
			t.Errorf("sealed %v: have %v", sealed, err)
		}
	}
}

func TestNoSuchThing(t *testing.T) {
	t.Parallel()
	s, err := vaultd.New(vaultd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	for _, tt := range []struct {
		method, path, token, body string
		want                      int
	}{
		{"GET", "/v1/sys/nope", s.RootToken, "", 404},
		{"GET", "/v1/auth/token/nope", s.RootToken, "", 404},
		{"GET", "/v1/secret/nope", s.RootToken, "", 404},
		{"GET", "/elsewhere", s.RootToken, "", 404},
		{"GET", "/v1/secret/data/x", "wrong", "", 403},
		{"GET", "/v1/secret/data/x", "", "", 403},
		{"POST", "/v1/secret/data/x", s.RootToken, "no JSON", 400},
		{"POST", "/v1/secret/data/x", s.RootToken, `{"data":"text"}`, 400},
		{"POST", "/v1/secret/data/x", s.RootToken, `{"data":{},"options":{"cas":"a"}}`, 400},
		{"PATCH", "/v1/secret/data/x", s.RootToken, `{"data":{}}`, 415},
		{"GET", "/v1/secret/../sys/mounts", s.RootToken, "", 200},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, web.URL+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Vault-Token", tt.token)
		resp, err := web.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("%s %s: have %d, want %d", tt.method, tt.path, resp.StatusCode, tt.want)
		}
	}
}
