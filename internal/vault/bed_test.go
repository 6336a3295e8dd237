package vault_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"go.uber.org/goleak"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/vaultd"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The server that all tests share ends with the test binary.
		goleak.IgnoreAnyFunction("github.com/bbsync/bbsync/internal/vault/vaulttest.(*process).wait"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).writerDescriptor.func1"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),  // idle connections of the tests' own clients
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"), // the same
	)
}

// A bed is one Vault to test with, its faults to order.
type bed struct {
	address string // through front
	root    *api.Client
	kv, old string // mounts of version 2 and 1
	front   *front.Front
	used    *atomic.Value // the token of the last request through front
	shift   *atomic.Int64 // what is added to the time that the server tells
}

// onBoth runs the test against the real Vault and against the sandbox's: what
// holds for one has to hold for the other.
func onBoth(t *testing.T, test func(t *testing.T, b bed)) {
	t.Helper()
	t.Run("vault", func(t *testing.T) {
		t.Parallel()
		server := vaulttest.Shared(t)
		test(t, newBed(t, server.Address, server.Root, server.KV2(t), server.KV1(t)))
	})
	t.Run("sandbox", func(t *testing.T) {
		t.Parallel()
		address, root := startSandbox(t)
		test(t, newBed(t, address, root, "kv", "old"))
	})
}

func startSandbox(t *testing.T) (address string, root *api.Client) {
	t.Helper()
	server, err := vaultd.New(vaultd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server.Mount("kv", 2)
	server.Mount("old", 1)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	root, err = api.NewClient(&api.Config{Address: web.URL, HttpClient: web.Client()})
	if err != nil {
		t.Fatal(err)
	}
	root.SetToken(server.RootToken)
	return web.URL, root
}

// newBed puts a front before the server that can misbehave.
func newBed(t *testing.T, address string, root *api.Client, kv, old string) bed {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var b bed
	proxy := httputil.NewSingleHostReverseProxy(target)
	transport := &http.Transport{}
	proxy.Transport = transport
	proxy.ModifyResponse = func(resp *http.Response) error {
		if d := time.Duration(b.shift.Load()); d != 0 {
			resp.Header.Set("Date", time.Now().Add(d).UTC().Format(http.TimeFormat))
		}
		return nil
	}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	b = bed{root: root, kv: kv, old: old, front: front.New(proxy, front.Options{}), used: &atomic.Value{}, shift: &atomic.Int64{}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.used.Store(r.Header.Get("X-Vault-Token"))
		b.front.ServeHTTP(w, r)
	}))
	b.address = web.URL
	t.Cleanup(func() {
		web.Close()
		transport.CloseIdleConnections()
	})
	return b
}

func (b bed) order(t *testing.T, faults ...front.Fault) {
	t.Helper()
	if err := b.front.Order(faults...); err != nil {
		t.Fatal(err)
	}
}

// config is a login with the root token.
func (b bed) config() vault.Config {
	return vault.Config{
		Address: b.address, Mount: b.kv, Patience: 3 * time.Second,
		Auth: vault.Auth{Token: secret.New(b.root.Token())},
	}
}

func (b bed) login(t *testing.T) *vault.Client { return b.loginAs(t, b.config()) }

func (b bed) loginAs(t *testing.T, cfg vault.Config) *vault.Client {
	t.Helper()
	c, err := vault.Login(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// write is a write as root; the mount's own path.
func (b bed) write(t *testing.T, path string, data map[string]any) *api.Secret {
	t.Helper()
	have, err := b.root.Logical().WriteWithContext(t.Context(), path, data)
	if err != nil {
		t.Fatal(err)
	}
	return have
}

// policy writes a policy with the mount's name for KV.
func (b bed) policy(t *testing.T, rules string) string {
	t.Helper()
	name := "policy-" + strings.ToLower(rand.Text())
	if err := b.root.Sys().PutPolicyWithContext(t.Context(), name, strings.ReplaceAll(rules, "KV/", b.kv+"/")); err != nil {
		t.Fatal(err)
	}
	return name
}

// token makes a token with a policy of its own.
func (b bed) token(t *testing.T, rules string, want api.TokenCreateRequest) string {
	t.Helper()
	want.Policies = []string{b.policy(t, rules)}
	have, err := b.root.Auth().Token().CreateWithContext(t.Context(), &want)
	if err != nil {
		t.Fatal(err)
	}
	return have.Auth.ClientToken
}

// appRole makes a role whose tokens have a policy of their own.
func (b bed) appRole(t *testing.T, rules, ttl, most string) vault.Auth {
	t.Helper()
	role := b.policy(t, rules)
	methods, err := b.root.Sys().ListAuthWithContext(t.Context())
	if err == nil && methods["approle/"] == nil {
		// Someone else may be faster: then this fails, and what follows tells.
		_ = b.root.Sys().EnableAuthWithOptionsWithContext(t.Context(), "approle", &api.EnableAuthOptions{Type: "approle"})
	}
	path := "auth/approle/role/" + role
	b.write(t, path, map[string]any{"token_policies": []string{role}, "token_ttl": ttl, "token_max_ttl": most})
	id, err := b.root.Logical().ReadWithContext(t.Context(), path+"/role-id")
	if err != nil {
		t.Fatal(err)
	}
	made := b.write(t, path+"/secret-id", nil)
	roleID, _ := id.Data["role_id"].(string)
	secretID, _ := made.Data["secret_id"].(string)
	return vault.Auth{Method: vault.MethodAppRole, RoleID: roleID, SecretID: secret.New(secretID)}
}

// revoke ends the token that was used last, as if it had run out.
func (b bed) revoke(t *testing.T) {
	t.Helper()
	token, _ := b.used.Load().(string)
	if err := b.root.Auth().Token().RevokeTreeWithContext(t.Context(), token); err != nil {
		t.Fatal(err)
	}
}
