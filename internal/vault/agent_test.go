package vault_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
)

// TestAgent logs in through the socket of a real Vault Proxy, which adds a token
// that is not bbsync's: it is still there afterwards.
func TestAgent(t *testing.T) {
	t.Parallel()
	server := vaulttest.Shared(t)
	b := newBed(t, server.Address, server.Root, server.KV2(t), "")
	token := b.token(t, leastPolicy(t), api.TokenCreateRequest{TTL: "1h", Renewable: new(bool)})
	c, err := vault.Login(t.Context(), vault.Config{
		Address: server.Proxy(t, token), Mount: b.kv, Patience: 3 * time.Second, Auth: vault.Auth{Method: vault.MethodAgent},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(t.Context(), "a", sample(), 0); err != nil {
		t.Error(err)
	}
	if _, version, err := c.Read(t.Context(), "a"); err != nil || version != 1 {
		t.Errorf("version %d, %v", version, err)
	}
	if info, err := c.TokenInfo(t.Context()); err != nil || !info.Agent {
		t.Errorf("%+v, %v", info, err)
	}
	_, _, err = c.Read(t.Context(), "../../outside")
	if err == nil {
		t.Error("a path that leaves the mount")
	}
	c.Close()
	if _, err := server.Client(t, token).Auth().Token().LookupSelfWithContext(t.Context()); err != nil {
		t.Errorf("the agent's token is gone: %v", err)
	}
}

// TestAgentsTokenIsLeftAlone watches what is asked through an agent.
func TestAgentsTokenIsLeftAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		var mu sync.Mutex
		asked := map[string]bool{}
		agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			asked[r.URL.Path] = true
			if r.Header.Get("X-Vault-Token") != "" || r.Header.Get("X-Vault-Request") != "true" {
				t.Errorf("%s: headers %v", r.URL.Path, r.Header)
			}
			r.Header.Set("X-Vault-Token", b.root.Token())
			b.front.ServeHTTP(w, r)
		}))
		t.Cleanup(agent.Close)
		c := b.loginAs(t, vault.Config{Address: agent.URL, Mount: b.kv, Auth: vault.Auth{Method: vault.MethodAgent}})
		if _, err := c.Write(t.Context(), "a", sample(), 0); err != nil {
			t.Error(err)
		}
		c.Close()
		mu.Lock()
		defer mu.Unlock()
		for path := range asked {
			if strings.HasPrefix(path, "/v1/auth/") {
				t.Errorf("asked for %s", path)
			}
		}
	})
}

// TestAddressThatAddsNoToken is Vault itself, or an agent that has not logged in.
func TestAddressThatAddsNoToken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		_, err := vault.Login(t.Context(), vault.Config{Address: b.address, Mount: b.kv, Auth: vault.Auth{Method: vault.MethodAgent}})
		if !errors.Is(err, vault.ErrForbidden) || !strings.Contains(err.Error(), "added no token") {
			t.Errorf("%v", err)
		}
	})
}

// TestSocketThatIsNotThere names the socket.
func TestSocketThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := vault.Login(t.Context(), vault.Config{Address: "unix:///nowhere/vault.sock", Patience: time.Nanosecond, Auth: vault.Auth{Method: vault.MethodAgent}})
	if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), "unix:///nowhere/vault.sock") {
		t.Errorf("%v", err)
	}
}
