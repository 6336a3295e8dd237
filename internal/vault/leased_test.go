package vault_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
)

// TestLeasedSecrets reads secrets that have a lease: one for each path, renewed
// during the run, and gone after it.
func TestLeasedSecrets(t *testing.T) {
	t.Parallel()
	server := vaulttest.StartLeased(t)
	b := newBed(t, server.Address, server.Root, server.KV2(t), "")
	b.write(t, "secret/database/creds/bitbucket", map[string]any{"username": "v-1", "password": "of-the-database", "ttl": "1h"})
	b.write(t, "cubbyhole/x", map[string]any{"password": "in-the-cubbyhole"})
	leases := func() []any {
		have, err := b.root.Logical().ListWithContext(t.Context(), "sys/leases/lookup/secret/database/creds/bitbucket")
		if err != nil {
			t.Fatal(err)
		}
		if have == nil {
			return nil
		}
		list, _ := have.Data["keys"].([]any)
		return list
	}
	c := b.login(t)
	for ref, want := range map[string]string{
		"secret/database/creds/bitbucket#password": "of-the-database",
		"secret/database/creds/bitbucket#username": "v-1",
		"cubbyhole/x#password":                     "in-the-cubbyhole",
	} {
		if have, err := c.Secret(t.Context(), ref); err != nil || !have.Equal(secret.New(want)) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	ids := leases()
	if len(ids) != 1 {
		t.Fatalf("%d leases", len(ids))
	}
	id, _ := ids[0].(string)
	if !renewed(t, b, "secret/database/creds/bitbucket/"+id) {
		t.Error("the lease was not renewed")
	}
	c.Close()
	if left := leases(); len(left) != 0 {
		t.Errorf("%d leases are left", len(left))
	}
	if _, err := c.Secret(t.Context(), "sys/none#x"); err == nil {
		t.Error("a closed client reads")
	}
}

// renewed waits until a lease was renewed, or is gone.
func renewed(t *testing.T, b bed, id string) bool {
	t.Helper()
	for {
		have, err := b.root.Logical().WriteWithContext(t.Context(), "sys/leases/lookup", map[string]any{"lease_id": id})
		if err != nil || have == nil {
			return false
		}
		if last, _ := have.Data["last_renewal"].(string); last != "" {
			return true
		}
	}
}

// TestCachedAnswers refuses records from a cache in front of Vault, and leaves a
// lease alone that an agent's cache shares among its clients.
func TestCachedAnswers(t *testing.T) {
	t.Parallel()
	var cache string
	asked := map[string]int{}
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		w.Header().Set("X-Cache", cache)
		switch r.URL.Path {
		case "/v1/sys/internal/ui/mounts/secret":
			_, _ = w.Write([]byte(`{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}`))
		case "/v1/sys/internal/ui/mounts/database/creds/x":
			_, _ = w.Write([]byte(`{"data":{"path":"database/","type":"database","options":null}}`))
		case "/v1/database/creds/x":
			_, _ = w.Write([]byte(`{"lease_id":"database/creds/x/1","lease_duration":60,"renewable":true,"data":{"password":"made"}}`))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errors":[]}`))
		}
	}))
	t.Cleanup(agent.Close)
	c, err := vault.Login(t.Context(), vault.Config{Address: agent.URL, Patience: time.Nanosecond, Auth: vault.Auth{Method: vault.MethodAgent}})
	if err != nil {
		t.Fatal(err)
	}
	cache = "HIT"
	if _, err := c.Secret(t.Context(), "database/creds/x#password"); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(t.Context(), "a"); !errors.Is(err, vault.ErrCached) {
		t.Errorf("a record from a cache: %v", err)
	}
	cache = "MISS"
	if _, _, err := c.Read(t.Context(), "a"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("a record through a cache: %v", err)
	}
	c.Close()
	for _, path := range []string{"/v1/sys/leases/revoke", "/v1/sys/leases/renew"} {
		if asked[path] > 0 {
			t.Errorf("asked for %s", path)
		}
	}
}
