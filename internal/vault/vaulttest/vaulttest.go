// Package vaulttest gives tests a real Vault server, the one that "make vault"
// builds from Go modules.
//
// Most tests want Shared and a KV2 mount of their own: one server per test
// binary, started by the first test that asks. A test that seals the server
// or limits its rate wants Start, a server of its own.
//
//	server := vaulttest.Shared(t)
//	mount := server.KV2(t)
//	token := server.Token(t, vaulttest.Token{Policies: []string{server.Policy(t, rules)}})
//
// The package only sets servers up: it knows nothing of bbsync's records, and it
// does not stand in for Vault in any way. Nothing but tests imports it.
package vaulttest

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/vault/api"
)

// A Server is a running Vault: a development server, unsealed, with everything in
// memory and a KV version 2 mount called "secret".
type Server struct {
	// Address is what a client is given, such as "http://127.0.0.1:40123".
	Address string

	// RootToken may do everything.
	RootToken string

	// CACert is the file of the authority that signed the server's certificate,
	// empty unless the server speaks TLS.
	CACert string

	// Root is a client with RootToken, for what this package has no method for.
	Root *api.Client

	process   *process
	unsealKey string
}

// Start starts a server that is the test's alone and ends with it.
func Start(t testing.TB) *Server {
	t.Helper()
	return own(t, options{})
}

// StartTLS is Start with a server that speaks TLS. CACert is the authority to trust.
func StartTLS(t testing.TB) *Server {
	t.Helper()
	return own(t, options{certificates: t.TempDir()})
}

// StartLeased is Start with a server whose mount "secret" is KV version 1, and makes
// a lease at each read, as engines that make credentials do.
func StartLeased(t testing.TB) *Server {
	t.Helper()
	return own(t, options{leased: true})
}

func own(t testing.TB, opts options) *Server {
	t.Helper()
	server, err := start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.process.stop(); err != nil {
			t.Errorf("stopping Vault: %v", err)
		}
	})
	return server
}

// shared is the server of this test binary. It needs no TestMain to stop it: it
// ends when the pipe to it closes, which is when the binary does.
//
//nolint:gochecknoglobals // one server per process is what a process-wide variable is for
var shared = sync.OnceValues(func() (*Server, error) { return start(options{}) })

// Shared returns the server that all tests of a test binary share, and starts it
// at the first call. It stops when the test binary ends, in whatever way.
func Shared(t testing.TB) *Server {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// Client returns a client with a token, which may be empty. Nothing in it comes
// from the environment, and it does not retry.
func (s *Server) Client(t testing.TB, token string) *api.Client {
	t.Helper()
	client, err := newClient(s.Address, s.CACert, token)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newClient sets every field that DefaultConfig would take from the environment.
func newClient(address, caCert, token string) (*api.Client, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if caCert != "" {
		pem, err := os.ReadFile(caCert)
		if err != nil {
			return nil, err
		}
		trust.RootCAs = x509.NewCertPool()
		trust.RootCAs.AppendCertsFromPEM(pem)
	}
	client, err := api.NewClient(&api.Config{Address: address, HttpClient: &http.Client{
		Transport:     &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}, // leaves no goroutine behind
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return nil, err
	}
	client.ClearNamespace()
	client.SetToken(token)
	return client, nil
}

// unique returns a name that no other test has: tests of one binary share a server.
func unique(kind string) string {
	return kind + "-" + strings.ToLower(rand.Text()[:10])
}

// write is a write as root that has to succeed.
func (s *Server) write(t testing.TB, path string, data map[string]any) *api.Secret {
	t.Helper()
	secret, err := s.Root.Logical().WriteWithContext(t.Context(), path, data)
	if err != nil {
		t.Fatalf("preparing Vault: write %s: %v", path, err)
	}
	return secret
}
