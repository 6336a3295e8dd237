package vault_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox/front"
)

// leastPolicy is the file that the documentation gives to administrators.
func leastPolicy(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "vault-policy.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`"secret/`, `"KV/`, "/corp/", "/").Replace(string(text)) // of all fleets: paths here have none
}

const secretPolicy = "\npath \"KV/data/platform/hcp\" { capabilities = [\"read\"] }\n"

func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		narrow := b.token(t, `path "KV/data/bbsync/*" { capabilities = ["read"] }`, api.TokenCreateRequest{})
		bare := b.token(t, `path "KV/data/bbsync/*" { capabilities = ["read"] }`, api.TokenCreateRequest{NoDefaultPolicy: true})
		blind := b.token(t, `path "elsewhere/*" { capabilities = ["read"] }`, api.TokenCreateRequest{})
		tests := map[string]struct {
			change func(*vault.Config)
			want   error
			text   string
		}{
			"good":                             {func(*vault.Config) {}, nil, ""},
			"narrow":                           {func(c *vault.Config) { c.Auth.Token = secret.New(narrow) }, nil, ""},
			"without default policy":           {func(c *vault.Config) { c.Auth.Token = secret.New(bare) }, nil, ""},
			"bad token":                        {func(c *vault.Config) { c.Auth.Token = secret.New("hvs.bad") }, vault.ErrUnauthorized, "log in anew"},
			"sees nothing":                     {func(c *vault.Config) { c.Auth.Token = secret.New(blind) }, vault.ErrForbidden, b.kv + "/data/bbsync/"},
			"version 1":                        {func(c *vault.Config) { c.Mount = b.old }, vault.ErrNotVersioned, "enable-versioning"},
			"no mount":                         {func(c *vault.Config) { c.Mount = "nomount" }, vault.ErrNoMount, "vault secrets enable -path=nomount"},
			"below a mount":                    {func(c *vault.Config) { c.Mount = b.kv + "/deep" }, vault.ErrNoMount, "mount = \"" + b.kv + "\""},
			"namespace ignored":                {func(c *vault.Config) { c.Namespace = "team-a" }, vault.ErrNoNamespace, "no namespaces"},
			"namespace ignored, and no lookup": {func(c *vault.Config) { c.Namespace, c.Auth.Token = "team-a", secret.New(bare) }, vault.ErrNoNamespace, "no namespaces"},
			"wrong approle": {func(c *vault.Config) {
				c.Auth = vault.Auth{Method: vault.MethodAppRole, RoleID: "r", SecretID: secret.New("s3cret")}
			}, vault.ErrUnauthorized, "auth/approle"},
			"no such method": {func(c *vault.Config) {
				c.Auth = vault.Auth{Method: vault.MethodUserpass, Mount: "nope", Username: "u", Password: secret.New("s3cret")}
			}, vault.ErrUnauthorized, "auth/nope"},
		}
		_ = b.appRole(t, leastPolicy(t), "1m", "1m") // so that the method is there
		for name, tt := range tests {
			cfg := b.config()
			tt.change(&cfg)
			c, err := vault.Login(t.Context(), cfg)
			if c != nil {
				c.Close()
			}
			if !errors.Is(err, tt.want) || err != nil && (!strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("%s: have %v", name, err)
			}
		}
	})
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	good := vault.Config{Address: "http://127.0.0.1:1", Auth: vault.Auth{Token: secret.New("t")}, Patience: time.Nanosecond}
	for name, change := range map[string]func(*vault.Config){
		"no address":   func(c *vault.Config) { c.Address = "" },
		"no URL":       func(c *vault.Config) { c.Address = "vault.corp:8200" },
		"user info":    func(c *vault.Config) { c.Address = "http://ann:s3cret@vault.corp" },
		"path":         func(c *vault.Config) { c.Path = "a/../b" },
		"CA":           func(c *vault.Config) { c.CA = []byte("not PEM") },
		"method":       func(c *vault.Config) { c.Auth.Method = "magic" },
		"no token":     func(c *vault.Config) { c.Auth = vault.Auth{} },
		"no role":      func(c *vault.Config) { c.Auth = vault.Auth{Method: vault.MethodKubernetes} },
		"no secret id": func(c *vault.Config) { c.Auth = vault.Auth{Method: vault.MethodAppRole, RoleID: "r"} },
		"no jwt":       func(c *vault.Config) { c.Auth = vault.Auth{Method: vault.MethodJWT, Role: "r"} },
		"no password":  func(c *vault.Config) { c.Auth = vault.Auth{Method: vault.MethodUserpass, Username: "u"} },
		"no token file": func(c *vault.Config) {
			c.Auth = vault.Auth{Method: vault.MethodJWT, Role: "r", TokenFile: "/nonexistent"}
		},
		"unreachable": func(*vault.Config) {},
	} {
		cfg := good
		change(&cfg)
		c, err := vault.Login(t.Context(), cfg)
		if c != nil || err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: have %v", name, err)
		}
		if name == "unreachable" && !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("%s: have %v", name, err)
		}
	}
}

// Everything that bbsync does, done with the policy of the documentation; and
// each line of it is needed.
func TestLeastPolicy(t *testing.T) {
	t.Parallel()
	everything := func(t *testing.T, b bed, rules string) error {
		cfg := b.config()
		cfg.Auth.Token = secret.New(b.token(t, rules+secretPolicy, api.TokenCreateRequest{NoDefaultPolicy: true}))
		cfg.Patience = time.Millisecond
		c, err := vault.Login(t.Context(), cfg)
		if err != nil {
			return err
		}
		defer c.Close()
		path := strings.ReplaceAll(t.Name(), "/", "_")
		held, err := c.Acquire(t.Context(), path, "me", time.Minute, sample())
		if err != nil {
			return err
		}
		if err := held.Update(t.Context(), func(r *record.Record) error { r.Fleet = "x"; return nil }); err != nil {
			return err
		}
		_, version, err := c.Read(t.Context(), path)
		_, listErr := c.List(t.Context(), "")
		_, secretErr := c.Secret(t.Context(), b.kv+"/platform/hcp#token")
		_, lifetimeErr := c.MountLifetime(t.Context())
		return errors.Join(err, listErr, secretErr, lifetimeErr, c.DestroyOlder(t.Context(), path, version), held.Release(t.Context()))
	}
	onBoth(t, func(t *testing.T, b bed) {
		b.write(t, b.kv+"/data/platform/hcp", map[string]any{"data": map[string]any{"token": "t"}})
		whole := leastPolicy(t)
		if err := everything(t, b, whole); err != nil {
			t.Error(err)
		}
		blocks := regexp.MustCompile(`(?m)^path "(KV/[^"]*)" \{[^}]*\}`).FindAllStringSubmatch(whole, -1)
		if len(blocks) != 4 {
			t.Fatalf("have %d blocks on the mount", len(blocks))
		}
		for _, block := range blocks {
			t.Run("without "+block[1], func(t *testing.T) {
				err := everything(t, b, strings.ReplaceAll(whole, block[0], ""))
				if !errors.Is(err, vault.ErrForbidden) || !strings.Contains(err.Error(), "the token's policy needs: path") || !strings.Contains(err.Error(), "docs/vault-policy.hcl") {
					t.Errorf("have %v", err)
				}
			})
		}
	})
}

// A token that ends in the middle of a run is replaced, whoever notices first.
func TestTokenEndsMidRun(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		cfg := b.config()
		cfg.Auth = b.appRole(t, leastPolicy(t), "1m", "2m")
		c := b.loginAs(t, cfg)
		for n := range vault.Version(3) {
			if _, err := c.Write(t.Context(), "x", sample(), n); err != nil {
				t.Fatal(err)
			}
			b.revoke(t)
			if _, v, err := c.Read(t.Context(), "x"); err != nil || v != n+1 {
				t.Errorf("have %d, %v", v, err)
			}
			b.revoke(t) // so that the next write finds it
		}
	})
}

// A given token that ends cannot be replaced, and the error says so.
func TestGivenTokenEnds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		cfg := b.config()
		given := b.token(t, leastPolicy(t), api.TokenCreateRequest{TTL: "1m"})
		cfg.Auth.Token = secret.New(given)
		c := b.loginAs(t, cfg)
		b.revoke(t)
		if _, _, err := c.Read(t.Context(), "x"); !errors.Is(err, vault.ErrUnauthorized) || strings.Contains(err.Error(), given) {
			t.Errorf("have %v", err)
		}
	})
}

// Tokens that live for two seconds, and cannot be renewed beyond four, carry a
// longer run: renewed first, then replaced.
func TestShortTokens(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		cfg := b.config()
		cfg.Auth = b.appRole(t, leastPolicy(t), "2s", "4s")
		c := b.loginAs(t, cfg)
		if _, err := c.Write(t.Context(), "x", sample(), 0); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(6 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if _, _, err := c.Read(t.Context(), "x"); err != nil {
				t.Fatal(err)
			}
		}
		if have := b.front.Counts().Routes["PUT /v1/auth/token/renew-self"]; have == 0 {
			t.Error("the token was never renewed")
		}
	})
}

// Closing revokes what a login made, and leaves a given token alone.
func TestCloseRevokes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		cfg := b.config()
		cfg.Auth = b.appRole(t, leastPolicy(t), "1m", "2m")
		for want, cfg := range map[int]vault.Config{0: b.config(), 1: cfg} {
			b.front.ResetCounts()
			b.loginAs(t, cfg).Close()
			if have := b.front.Counts().Routes["PUT /v1/auth/token/revoke-self"]; have != want {
				t.Errorf("have %d, want %d", have, want)
			}
		}
	})
}

func TestSealedVault(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	cfg := vault.Config{Address: server.Address, Auth: vault.Auth{Token: secret.New(server.RootToken)}, Patience: time.Millisecond}
	c, err := vault.Login(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	server.Seal(t)
	_, _, err = c.Read(t.Context(), "x")
	if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), "vault operator unseal") {
		t.Errorf("have %v", err)
	}
	if _, err := vault.Login(t.Context(), cfg); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("login: have %v", err)
	}
	server.Unseal(t)
	if _, _, err := c.Read(t.Context(), "x"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("have %v", err)
	}
}

// The other ways to log in, with the real server.
func TestLoginMethods(t *testing.T) {
	t.Parallel()
	server := vaulttest.Shared(t)
	mount := server.KV2(t)
	b := newBed(t, server.Address, server.Root, mount, "")
	want := vaulttest.Login{Policies: []string{server.Policy(t, strings.ReplaceAll(leastPolicy(t), "KV/", mount+"/"))}}
	role, user := server.AppRole(t, want), server.Userpass(t, want)
	jwt, issuer := server.JWT(t, want)
	pod := server.Kubernetes(t, want)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(pod.ServiceToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, auth := range []vault.Auth{
		{Method: vault.MethodAppRole, Mount: role.Mount, RoleID: role.RoleID, SecretID: secret.New(role.SecretID)},
		{Method: vault.MethodAppRole, Mount: role.Mount, RoleID: role.RoleID, SecretID: secret.New(role.WrappedSecretID(t)), Wrapped: true},
		{Method: vault.MethodUserpass, Mount: user.Mount, Username: user.Username, Password: secret.New(user.Password)},
		{Method: vault.MethodJWT, Mount: jwt.Mount, Role: jwt.Role, JWT: secret.New(issuer.Sign(t, "me", jwt.Audience, time.Minute))},
		{Method: vault.MethodKubernetes, Mount: pod.Mount, Role: pod.Role, TokenFile: file},
	} {
		c, err := vault.Login(t.Context(), vault.Config{Address: b.address, Mount: mount, Auth: auth})
		if err != nil {
			t.Errorf("%s: %v", auth.Method, err)
			continue
		}
		defer c.Close()
		path := "corp/" + strings.ReplaceAll(auth.Mount, "/", "-") + "/" + map[bool]string{true: "wrapped", false: "plain"}[auth.Wrapped]
		if _, err := c.Write(t.Context(), path, sample(), 0); err != nil {
			t.Errorf("%s: %v", auth.Method, err)
		}
		b.revoke(t)
		if _, _, err := c.Read(t.Context(), path); err != nil {
			t.Errorf("%s: after the token ended: %v", auth.Method, err)
		}
	}
}

func TestTLSTrustsTheGivenAuthorityOnly(t *testing.T) {
	t.Parallel()
	server := vaulttest.StartTLS(t)
	ca, err := os.ReadFile(server.CACert)
	if err != nil {
		t.Fatal(err)
	}
	cfg := vault.Config{Address: server.Address, CA: ca, Auth: vault.Auth{Token: secret.New(server.RootToken)}, Patience: time.Millisecond}
	c, err := vault.Login(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	cfg.CA = nil
	if _, err := vault.Login(t.Context(), cfg); !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("have %v", err)
	}
}

// The environment has no say; only the caller has.
func TestEnvironmentIsIgnored(t *testing.T) {
	address, root := startSandbox(t)
	for name, value := range map[string]string{
		"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "hvs.wrong", "VAULT_NAMESPACE": "team-a", "VAULT_SKIP_VERIFY": "true",
		"VAULT_HEADERS": `{"X-Evil":"1"}`, "VAULT_AGENT_ADDR": "http://127.0.0.1:1", "VAULT_MAX_RETRIES": "9", "VAULT_PROXY_ADDR": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	evil := false
	b := newBed(t, address, root, "kv", "old")
	b.order(t, front.Fault{Kind: front.Call, Times: -1, Before: func(r *http.Request) {
		evil = evil || r.Header.Get("X-Evil") != "" || r.Header.Get("X-Vault-Namespace") != "" || r.Header.Get("User-Agent") != "bbsync/test"
	}})
	cfg := b.config()
	cfg.UserAgent = "bbsync/test"
	c := b.loginAs(t, cfg)
	if _, err := c.Write(t.Context(), "x", sample(), 0); err != nil || evil {
		t.Errorf("have %v, evil %v", err, evil)
	}
}

// A redirect to another host must not carry the token there.
func TestTokenStaysWithItsHost(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the stranger was asked") }))
	t.Cleanup(stranger.Close)
	vaultServer := httptest.NewServer(http.RedirectHandler(stranger.URL, http.StatusTemporaryRedirect))
	t.Cleanup(vaultServer.Close)
	_, err := vault.Login(t.Context(), vault.Config{Address: vaultServer.URL, Auth: vault.Auth{Token: secret.New("t")}, Patience: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "redirects to") {
		t.Errorf("have %v", err)
	}
}
