package vault_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		root := b.login(t)
		info, err := root.TokenInfo(t.Context())
		if err != nil || info.TTL != 0 || !slices.Contains(info.Policies, "root") {
			t.Errorf("have %+v, %v", info, err)
		}
		if lacks, err := root.Lacks(t.Context(), "corp/a"); err != nil || len(lacks) != 0 {
			t.Errorf("root lacks %v, %v", lacks, err)
		}
		if n, _, err := root.Versions(t.Context(), "corp/a"); err != nil || n != 0 {
			t.Errorf("have %d versions, %v", n, err)
		}
		for cas := range vault.Version(3) {
			if _, err := root.Write(t.Context(), "corp/a", sample(), cas); err != nil {
				t.Fatal(err)
			}
		}
		if n, newest, err := root.Versions(t.Context(), "corp/a"); err != nil || n != 3 || newest.IsZero() {
			t.Errorf("have %d versions since %v, %v", n, newest, err)
		}
	})
}

// A reader is told what it lacks, without anything being written.
func TestLacks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		cfg := b.config()
		cfg.Auth = vault.Auth{Token: secret.New(b.token(t, `
			path "KV/data/bbsync/*" { capabilities = ["read"] }
			path "KV/metadata/bbsync/*" { capabilities = ["list", "read"] }`, api.TokenCreateRequest{TTL: "1h"}))}
		c := b.loginAs(t, cfg)
		lacks, err := c.Lacks(t.Context(), "corp/a")
		if err != nil || len(lacks) != 2 {
			t.Fatalf("have %+v, %v", lacks, err)
		}
		if l := lacks[0]; l.Path != b.kv+"/data/bbsync/corp/a" || !slices.Equal(l.Miss, []string{"create", "update"}) {
			t.Errorf("have %+v", l)
		}
		if l := lacks[1]; l.Path != b.kv+"/destroy/bbsync/corp/a" {
			t.Errorf("have %+v", l)
		}
		if _, _, err := c.Read(t.Context(), "corp/a"); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("asking wrote something: %v", err)
		}
		if info, err := c.TokenInfo(t.Context()); err != nil || info.TTL <= 0 {
			t.Errorf("have %+v, %v", info, err)
		}
	})
}
