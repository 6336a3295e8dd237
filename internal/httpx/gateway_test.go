package httpx_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/secret"
)

// clientCertificate makes a certificate that signs itself, and its pool.
func clientCertificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// askTLS sends requests to a server with a TLS configuration and returns the last error.
func askTLS(t *testing.T, conf *tls.Config, gateway httpx.Gateway, times int) error {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS, server.EnableHTTP2, server.Config.ErrorLog = conf, true, log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	origin, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := httpx.New(httpx.Options{Origin: origin, CA: ca, Gateway: gateway})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	for range times {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(strings.Repeat("x", 100_000)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = transport.RoundTrip(req); err != nil {
			return err
		}
	}
	return nil
}

// TestClientCertificate has servers that ask for a client certificate: a client
// without one, or with a wrong one, is told so, and does not try again.
func TestClientCertificate(t *testing.T) {
	own, pool := clientCertificate(t)
	_, otherPool := clientCertificate(t)
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		conf := func(pool *x509.CertPool) *tls.Config {
			return &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: version}
		}
		if err := askTLS(t, conf(pool), httpx.Gateway{Certificate: own}, 3); err != nil {
			t.Errorf("%s, the right certificate: %v", name, err)
		}
		for range 20 { // a connection may be reset before its alert is read
			err := askTLS(t, conf(pool), httpx.Gateway{}, 1)
			missing, ok := errors.AsType[*httpx.ClientCertificateError](err)
			if !ok || missing.Sent || !httpx.Permanent(err) || httpx.Advice(err) != "set client_certificate and client_key in the block of this server" {
				t.Errorf("%s, no certificate: %v (%s)", name, err, httpx.Advice(err))
			}
		}
		err := askTLS(t, conf(otherPool), httpx.Gateway{Certificate: own}, 1)
		if refused, ok := errors.AsType[*httpx.ClientCertificateError](err); ok && (!refused.Sent || !httpx.Permanent(err) || !strings.Contains(httpx.Advice(err), "an authority that the gateway trusts")) || err == nil {
			t.Errorf("%s, another's certificate: %v (%s)", name, err, httpx.Advice(err))
		}
		if err := askTLS(t, &tls.Config{ClientAuth: tls.RequestClientCert, MaxVersion: version}, httpx.Gateway{}, 3); err != nil {
			t.Errorf("%s, a certificate that may be left out: %v", name, err)
		}
	}
}

// TestHeadersOfAGateway go with every request to the origin, and no error quotes
// those that are secret.
func TestHeadersOfAGateway(t *testing.T) {
	const hidden = "the-secret-of-the-gateway"
	gateway := httpx.Gateway{Headers: []httpx.Header{
		{Name: "Cf-Access-Client-Id", Value: secret.New("bbsync.access"), Public: true},
		{Name: "Cf-Access-Client-Secret", Value: secret.New(hidden)},
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no: "+r.Header.Get("Cf-Access-Client-Id")+" "+r.Header.Get("Cf-Access-Client-Secret"))
	}))
	t.Cleanup(server.Close)
	origin, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := httpx.New(httpx.Options{Origin: origin, Gateway: gateway})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	for range 2 {
		resp, err := transport.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := httpx.Bytes(resp.Body); err != nil || string(body) != "no: bbsync.access (redacted)" {
			t.Errorf("%q, %v", body, err)
		}
	}
	if _, err := httpx.New(httpx.Options{Gateway: gateway}); err == nil {
		t.Error("headers that may go anywhere")
	}
}

// TestPagesThatAsk tells pages that ask for something from those that may be over soon.
func TestPagesThatAsk(t *testing.T) {
	html := http.Header{"Content-Type": {"text/html"}}
	for body, want := range map[string]string{
		"<html><head><title>400 No required SSL certificate was sent</title></head><center>nginx</center>": httpx.AdviseCertificate,
		"<html><head><title>400 The SSL certificate error</title></head><center>nginx</center>":            httpx.AdviseCertificate,
		`<html><title>Sign In</title><script src="https://ok1static.oktacdn.com/x.js">`:                    httpx.AdviseSignOn,
		"<html><title>Starting</title>": "",
	} {
		page, ok := httpx.ReadPage(html, []byte(body))
		if !ok || page.Asks() != (want != "") || want != "" && page.Advice("Vault") != want {
			t.Errorf("%s: %+v, %s", body, page, page.Advice("Vault"))
		}
	}
}
