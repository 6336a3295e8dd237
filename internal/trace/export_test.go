package trace_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/trace"
)

// export ends a run whose traces go to a server, and returns the warnings.
func export(t *testing.T, url string) string {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=the-api-key%2Fof-the-collector,x-tenant=acme")
	var warnings []string
	_, end := trace.Run(context.Background(), "plan", "1", func(string) string { return "" }, func(err error) { warnings = append(warnings, err.Error()) })
	end(0)
	return strings.Join(warnings, "\n")
}

func TestHeadersFollowNoRedirect(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/next", http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	warned := export(t, server.URL)
	if asked > 0 {
		t.Error("the redirect was followed")
	}
	if !strings.Contains(warned, "redirects to "+elsewhere.URL+"/next") {
		t.Errorf("warned of %q", warned)
	}
}

func TestRefusedTraces(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("no:\n::error::" + r.Header.Get("X-Api-Key")))
	}))
	t.Cleanup(server.Close)
	warned := export(t, server.URL)
	if !strings.Contains(warned, "403") || strings.Contains(warned, "the-api-key") || strings.Contains(warned, "\n") {
		t.Errorf("warned of %q", warned)
	}
}
