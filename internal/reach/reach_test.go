package reach_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/reach"
)

func authority(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestLookSendsNothing(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
	defer server.Close()
	have := reach.Look(t.Context(), server.URL, authority(server))
	if have.Name != nil || have.Port != nil || have.TLS != nil || have.Proxy != "" {
		t.Fatalf("have %+v", have)
	}
	if len(have.Chain) != 1 || have.Chain[0].NotAfter != server.Certificate().NotAfter || len(have.IPs) != 1 {
		t.Errorf("have %+v", have)
	}
}

func TestLookTellsAnUnknownAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	for name, roots := range map[string][]byte{"system": nil, "another": otherAuthority(t)} {
		have := reach.Look(t.Context(), server.URL, roots)
		if _, ok := errors.AsType[x509.UnknownAuthorityError](have.TLS); !ok {
			t.Errorf("%s: have %v, want an unknown authority", name, have.TLS)
		}
		if len(have.Chain) == 0 {
			t.Errorf("%s: the chain was not kept", name)
		}
	}
	have := reach.Look(t.Context(), strings.Replace(server.URL, "127.0.0.1", "localhost", 1), authority(server))
	if _, ok := errors.AsType[x509.HostnameError](have.TLS); !ok {
		t.Errorf("have %v, want a wrong name", have.TLS)
	}
}

// otherAuthority returns an authority that signed nothing here.
func otherAuthority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestLookTellsAClosedPort(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	if have := reach.Look(t.Context(), address, nil); have.Name != nil || have.Port == nil {
		t.Errorf("have %+v, want no connection", have)
	}
	if have := reach.Look(t.Context(), "https://no-such-host.invalid", nil); have.Name == nil {
		t.Errorf("have %+v, want no such name", have)
	}
	if reach.Dial(t.Context(), strings.TrimPrefix(address, "http://")) == nil {
		t.Error("the closed port was dialled")
	}
}

func TestLookTellsWhatIsNoTLS(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if have := reach.Look(t.Context(), strings.Replace(server.URL, "http:", "https:", 1), nil); have.TLS == nil {
		t.Errorf("have %+v, want no handshake", have)
	}
}

func TestLookAtOldTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.StartTLS()
	t.Cleanup(server.Close)
	if have := reach.Look(t.Context(), server.URL, authority(server)); !errors.Is(have.TLS, httpx.ErrOldTLS) {
		t.Errorf("seen: %v", have.TLS)
	}
}
