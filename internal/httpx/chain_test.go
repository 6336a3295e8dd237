package httpx_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
)

// A signer is a certificate with its key.
type signer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func (s signer) sign(t *testing.T, name string, until time.Time) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		IsCA: name != "leaf", BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if s.certificate == nil {
		s = signer{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.certificate, key.Public(), s.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signer{made, key}
}

// The certificates are known from the handshake of an ordinary request: the server's
// and those between it and the authority, without the authority, and bbsync's own.
func TestCertificates(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	until := func(days int) time.Time { return now.AddDate(0, 0, days) }
	root := signer{}.sign(t, "root", until(3000))
	between := root.sign(t, "between", until(20))
	leaf := between.sign(t, "leaf", until(90))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{
		Certificate: [][]byte{leaf.certificate.Raw, between.certificate.Raw, root.certificate.Raw}, PrivateKey: leaf.key,
	}}}
	server.StartTLS()
	defer server.Close()
	own, _ := clientCertificate(t)
	own.Leaf, _ = x509.ParseCertificate(own.Certificate[0])
	origin, _ := url.Parse(server.URL)
	transport, err := httpx.New(httpx.Options{
		Origin: origin, CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.certificate.Raw}), Gateway: httpx.Gateway{Certificate: own},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	if have := transport.Certificates(); len(have) != 1 || !have[0].Own {
		t.Errorf("before the first answer: %+v", have)
	}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if _, err := transport.RoundTrip(request); err != nil {
		t.Fatal(err)
	}
	have := transport.Certificates()
	if len(have) != 3 || have[0].Subject != "CN=leaf" || have[1].Subject != "CN=between" || !have[1].Until.Equal(until(20)) || have[1].Own || !have[2].Own {
		t.Errorf("%+v", have)
	}
}
