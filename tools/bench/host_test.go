package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/bbsync/bbsync/sandbox"
)

// TestTheSandboxKeepsToItsLimit has a sandbox that allows a request in a hundred
// seconds: it announces a limit, and refuses the second. Without, the rows that
// speak of a limit would measure nothing but bbsync's own manners.
func TestTheSandboxKeepsToItsLimit(t *testing.T) {
	setting, err := json.Marshal(setting{Folder: t.TempDir(), Orgs: 1, RateLimit: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	in, stop := io.Pipe()
	out, printed := io.Pipe()
	ended := make(chan error)
	go func() { ended <- host(t.Context(), string(setting), in, printed) }()
	var facts sandbox.Facts
	if err := json.NewDecoder(out).Decode(&facts); err != nil {
		t.Fatal(err)
	}
	first, announced := ping(t, facts)
	second, _ := ping(t, facts)
	if first/100 != 2 || second != http.StatusTooManyRequests {
		t.Errorf("answered with %d and %d, want a refusal of the second", first, second)
	}
	if announced == "" {
		t.Error("no limit is announced")
	}
	_ = stop.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// ping returns the answer's status, and the limit that it announces.
func ping(t *testing.T, facts sandbox.Facts) (status int, limit string) {
	t.Helper()
	pem, err := os.ReadFile(facts.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, facts.Terraform.Address+"/api/v2/ping", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+facts.Terraform.Token)
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("X-RateLimit-Limit")
}
