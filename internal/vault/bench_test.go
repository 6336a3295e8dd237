package vault_test

import (
	"net/http/httptest"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox/vaultd"
)

// What one connection costs of a steady-state plan, the sandbox's server included.
func BenchmarkRead(b *testing.B) {
	server, err := vaultd.New(vaultd.Options{})
	if err != nil {
		b.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	defer web.Close()
	c, err := vault.Login(b.Context(), vault.Config{Address: web.URL, Auth: vault.Auth{Token: secret.New(server.RootToken)}})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(b.Context(), "x", sample(), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Read(b.Context(), "x"); err != nil {
			b.Fatal(err)
		}
	}
}
