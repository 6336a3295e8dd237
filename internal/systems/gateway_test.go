package systems

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// clientPEM makes a client certificate that signs itself.
func clientPEM(t *testing.T, ends time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: ends, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// guarded starts a server behind a gateway that wants a client certificate and a
// header, and writes its authority to a file.
func guarded(t *testing.T, home, certificate string, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(certificate))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Access") != "open-sesame" || r.Header.Get("X-Team") != "platform" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errors":["header `+r.Header.Get("X-Access")+`"]}`)
			return
		}
		answer(w, r)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	write(t, home, map[string]string{"ca.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))})
	return server
}

// TestGateways sends what the configuration says to each of the three systems.
func TestGateways(t *testing.T) {
	home := t.TempDir()
	certificate, key := clientPEM(t, time.Now().Add(time.Hour))
	write(t, home, map[string]string{"client.pem": certificate, "client.key": key})
	answers := map[string]string{
		"/rest/applinks/3.0/applinks":                `{"list":[]}`,
		"/v1/sys/internal/ui/mounts/secret":          `{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}`,
		"/v1/auth/token/lookup-self":                 `{"data":{"ttl":0}}`,
		"/api/v2/ping":                               ``,
		"/api/v2/organizations/acme/entitlement-set": `{"data":{"id":"x","type":"entitlement-sets","attributes":{}}}`,
	}
	server := guarded(t, home, certificate, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answers[r.URL.Path])
	})
	gateway := schema.Gateway{
		Headers:     []schema.Header{{Name: "X-Team", Value: "platform"}, {Name: "X-Access", Secret: &schema.SecretRef{Env: "ACCESS"}}},
		Certificate: &schema.SecretRef{File: "client.pem"}, Key: &schema.SecretRef{Env: "KEY"},
	}
	fleet := &schema.Fleet{
		Vault:      schema.Vault{Address: server.URL, CAFile: "ca.pem", Mount: "secret", Gateway: gateway},
		Terraforms: []*schema.Terraform{{Label: "hcp", Address: server.URL, CAFile: "ca.pem", Token: schema.SecretRef{Env: "TOKEN"}, Gateway: gateway}},
		Bitbuckets: []*schema.Bitbucket{{
			Label: "corp", URL: server.URL, CAFile: "ca.pem", Gateway: gateway,
			Admin: schema.Admin{Username: "admin", Password: &schema.SecretRef{Env: "TOKEN"}},
		}},
	}
	env := map[string]string{"ACCESS": "open-sesame", "KEY": key, "TOKEN": "token", "VAULT_TOKEN": "token"}
	try := func() map[string]error {
		sys := New(fleet, Env{Dir: home, Getenv: func(name string) string { return env[name] }})
		defer sys.Close()
		errs := map[string]error{"vault": sys.Login(t.Context())}
		_, errs["terraform"] = sys.Terraform(t.Context(), "hcp", "acme")
		client, err := sys.Bitbucket(t.Context(), "corp")
		if err == nil {
			_, err = client.Links(t.Context())
		}
		errs["bitbucket"] = err
		return errs
	}
	for system, err := range try() {
		if err != nil {
			t.Errorf("%s: %v", system, err)
		}
	}
	env["ACCESS"] = "sesame-open"
	for system, err := range try() {
		if err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s with a wrong header: %v", system, err)
		}
	}
	env["ACCESS"] = "open\x07sesame"
	for system, err := range try() {
		if err == nil || !strings.Contains(err.Error(), "the header X-Access: env:ACCESS has a character") {
			t.Errorf("%s with a header that cannot be: %v", system, err)
		}
	}
}

// TestClientCertificatesThatCannotBeUsed says what is wrong, and nothing of the key.
func TestClientCertificatesThatCannotBeUsed(t *testing.T) {
	certificate, key := clientPEM(t, time.Now().Add(time.Hour))
	ended, endedKey := clientPEM(t, time.Now().Add(-time.Hour))
	for name, test := range map[string]struct{ certificate, key, want string }{
		"another's key":   {certificate, endedKey, "does not match"},
		"no PEM":          {"hello", key, "client_certificate (env:C)"},
		"ended":           {ended, endedKey, "ended on"},
		"with passphrase": {certificate, strings.ReplaceAll(key, "PRIVATE", "ENCRYPTED PRIVATE"), "has a passphrase"},
		"nothing":         {"", key, "environment variable C is not set"},
	} {
		s := New(&schema.Fleet{}, Env{Getenv: func(v string) string { return map[string]string{"C": test.certificate, "K": test.key}[v] }})
		_, err := s.gateway(t.Context(), schema.Gateway{Certificate: &schema.SecretRef{Env: "C"}, Key: &schema.SecretRef{Env: "K"}})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "MI") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVaultAsItsToolsReadIt takes addresses, certificates and tokens from the
// variables that the vault command reads.
func TestVaultAsItsToolsReadIt(t *testing.T) {
	home := t.TempDir()
	certificate, key := clientPEM(t, time.Now().Add(time.Hour))
	write(t, home, map[string]string{"c.pem": certificate, "k.pem": key})
	for name, test := range map[string]struct {
		env     map[string]string
		address string
		method  string
		pair    bool
		err     string
	}{
		"an agent":               {env: map[string]string{"VAULT_AGENT_ADDR": "http://127.0.0.1:8100", "VAULT_ADDR": "https://vault.example"}, address: "http://127.0.0.1:8100", method: vault.MethodAgent},
		"an agent and a token":   {env: map[string]string{"VAULT_AGENT_ADDR": "http://127.0.0.1:8100", "VAULT_TOKEN": "t"}, address: "http://127.0.0.1:8100"},
		"a socket":               {env: map[string]string{"VAULT_AGENT_ADDR": "unix:///run/vault.sock"}, address: "unix:///run/vault.sock", method: vault.MethodAgent},
		"a socket, and no token": {env: map[string]string{"VAULT_ADDR": "unix:///run/vault.sock"}, err: `auth "agent" {}`},
		"no path":                {env: map[string]string{"VAULT_ADDR": "unix://run/vault.sock"}, err: "VAULT_ADDR: the address of a socket"},
		"a certificate":          {env: map[string]string{"VAULT_ADDR": "https://vault.example", "VAULT_TOKEN": "t", "VAULT_CLIENT_CERT": home + "/c.pem", "VAULT_CLIENT_KEY": home + "/k.pem"}, address: "https://vault.example", pair: true},
		"half a certificate":     {env: map[string]string{"VAULT_ADDR": "https://vault.example", "VAULT_CLIENT_KEY": home + "/k.pem"}, err: "one of them is not set"},
	} {
		s := New(&schema.Fleet{}, Env{Home: filepath.Join(home, "none"), Getenv: func(v string) string { return test.env[v] }})
		cfg, err := s.vaultConfig()
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || cfg.Address != test.address || cfg.Auth.Method != test.method || (cfg.Gateway.Certificate != nil) != test.pair {
			t.Errorf("%s: %+v, %v", name, cfg, err)
		}
	}
}
