package tfe_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
)

// What one organization costs of a steady-state plan, the test's server included.
func BenchmarkClients(b *testing.B) {
	body := `{"data":[` + clientJSON + `],"included":[` + fmt.Sprintf(tokenJSON, "ot-1", "2026-01-01T00:00:00Z") + `]}`
	web := httptest.NewServer(script{"GET organizations/acme/oauth-clients": answer(200, body)})
	defer web.Close()
	c, err := tfe.New(b.Context(), tfe.Config{Address: web.URL, Token: secret.New("t")})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Clients(b.Context(), "acme"); err != nil {
			b.Fatal(err)
		}
	}
}
