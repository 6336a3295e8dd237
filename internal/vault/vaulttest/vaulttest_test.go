package vaulttest_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
)

const readsKV = `path "%s/data/*" { capabilities = ["create", "update", "read"] }`

func status(t *testing.T, err error) int {
	t.Helper()
	var refused *api.ResponseError
	if !errors.As(err, &refused) {
		t.Fatalf("have error %v, want an answer of the server", err)
	}
	return refused.StatusCode
}

func TestSharedServerIsOne(t *testing.T) {
	servers := make([]*vaulttest.Server, 8)
	var group sync.WaitGroup
	for i := range servers {
		group.Go(func() { servers[i] = vaulttest.Shared(t) })
	}
	group.Wait()
	for _, server := range servers {
		if server != servers[0] {
			t.Errorf("have a second server at %s, want %s", server.Address, servers[0].Address)
		}
	}
}

func TestEnvironmentStaysOut(t *testing.T) {
	t.Setenv("VAULT_ADDR", "http://127.0.0.1:1")
	t.Setenv("VAULT_TOKEN", "wrong")
	t.Setenv("VAULT_NAMESPACE", "elsewhere")
	t.Setenv("VAULT_DEV_ROOT_TOKEN_ID", "wrong")
	server := vaulttest.Start(t)
	client := server.Client(t, "")
	if client.Token() != "" || client.Namespace() != "" || client.Address() != server.Address {
		t.Errorf("have a client for %q in %q with token %q", client.Address(), client.Namespace(), client.Token())
	}
	if _, err := server.Root.KVv2(server.KV2(t)).Put(t.Context(), "a", map[string]any{"b": "c"}); err != nil {
		t.Error(err)
	}
}

func TestMountsAreFresh(t *testing.T) {
	server := vaulttest.Shared(t)
	one, two := server.KV2(t), server.KV2(t)
	check := api.WithCheckAndSet(0)
	for _, mount := range []string{one, two} {
		if _, err := server.Root.KVv2(mount).Put(t.Context(), "a", map[string]any{"b": "c"}, check); err != nil {
			t.Error(err)
		}
	}
	_, err := server.Root.KVv2(one).Put(t.Context(), "a", map[string]any{"b": "d"}, check)
	if err == nil || status(t, err) != http.StatusBadRequest {
		t.Errorf("have %v for a second version with check-and-set 0, want a refusal", err)
	}
}

func TestKV1IgnoresCheckAndSet(t *testing.T) {
	server := vaulttest.Shared(t)
	path := server.KV1(t) + "/data/a"
	for range 2 {
		body := map[string]any{"options": map[string]any{"cas": 0}, "data": map[string]any{"b": "c"}}
		if _, err := server.Root.Logical().Write(path, body); err != nil {
			t.Errorf("have %v from version 1, want check-and-set ignored", err)
		}
	}
}

func TestTokenHasItsPolicyAndLifetime(t *testing.T) {
	server := vaulttest.Shared(t)
	allowed, denied := server.KV2(t), server.KV2(t)
	policy := server.Policy(t, strings.ReplaceAll(readsKV, "%s", allowed))
	token := server.Token(t, vaulttest.Token{Policies: []string{policy}, TTL: time.Hour})
	client := server.Client(t, token)
	if _, err := client.KVv2(allowed).Put(t.Context(), "a", map[string]any{"b": "c"}); err != nil {
		t.Error(err)
	}
	_, err := client.KVv2(denied).Put(t.Context(), "a", map[string]any{"b": "c"})
	if err == nil || status(t, err) != http.StatusForbidden {
		t.Errorf("have %v outside of the policy, want 403", err)
	}
	self, err := client.Auth().Token().LookupSelf()
	if err != nil {
		t.Fatal(err)
	}
	if ttl, err := self.TokenTTL(); err != nil || ttl <= 0 || ttl > time.Hour {
		t.Errorf("have a lifetime of %s, %v", ttl, err)
	}
	server.Revoke(t, token)
	if _, err := client.Auth().Token().LookupSelf(); err == nil || status(t, err) != http.StatusForbidden {
		t.Errorf("have %v for a revoked token, want 403", err)
	}
}

func TestTokenWithoutPoliciesIsNotRoot(t *testing.T) {
	server := vaulttest.Shared(t)
	client := server.Client(t, server.Token(t, vaulttest.Token{}))
	if _, err := client.Logical().Read("sys/mounts"); err == nil || status(t, err) != http.StatusForbidden {
		t.Errorf("have %v, want 403", err)
	}
}

func TestRateLimit(t *testing.T) {
	server := vaulttest.Start(t)
	mount := server.KV2(t)
	server.LimitRate(t, mount+"/", 1, time.Hour)
	var err error
	for range 3 {
		if _, err = server.Root.Logical().Read(mount + "/config"); err != nil {
			break
		}
	}
	if err == nil || status(t, err) != http.StatusTooManyRequests {
		t.Errorf("have %v, want 429", err)
	}
}

func TestSeal(t *testing.T) {
	server := vaulttest.Start(t)
	mount := server.KV2(t)
	kv := server.Root.KVv2(mount)
	if _, err := kv.Put(t.Context(), "a", map[string]any{"b": "c"}); err != nil {
		t.Fatal(err)
	}
	server.Seal(t)
	if _, err := kv.Get(t.Context(), "a"); err == nil || status(t, err) != http.StatusServiceUnavailable {
		t.Errorf("have %v from a sealed server, want 503", err)
	}
	server.Unseal(t)
	if _, err := kv.Get(t.Context(), "a"); err != nil {
		t.Errorf("after unsealing: %v", err)
	}
}

func TestTLS(t *testing.T) {
	server := vaulttest.StartTLS(t)
	if !strings.HasPrefix(server.Address, "https://") || server.CACert == "" {
		t.Errorf("have address %q and authority %q", server.Address, server.CACert)
	}
	response, err := http.Get(server.Address + "/v1/sys/health")
	if err == nil {
		response.Body.Close()
		t.Error("have an answer without the authority, want a certificate that is not trusted")
	}
}
