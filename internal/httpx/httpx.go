// Package httpx is the HTTP layer under every client: one transport with one
// meaning of ca_file, a deadline that covers the body, a bound on the size of
// answers, no redirects, and the removal of the client's own secrets from
// whatever an error quotes. It knows no server's API.
package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a Transport.
type Options struct {
	Origin    *url.URL        // the only scheme, host and port requests may go to; nil: any
	Socket    string          // path of a Unix socket that all connections go to, whatever the address; "": none
	CA        []byte          // PEM; when set, these authorities are trusted and no others
	Gateway   Gateway         // what a gateway in front of Origin wants; its secrets are added to Redact
	Timeout   time.Duration   // of one request, including its answer's body; 0: 30 s
	MaxBody   int64           // bytes of a success's body; 0: 64 MiB
	UserAgent string          // "" leaves the request's own
	Alive     context.Context //nolint:containedctx // ends all requests when it ends; nil: never
	Redact    *Redactor       // removes secrets from errors; nil: removes PEM blocks only
}

const (
	defaultTimeout = 30 * time.Second
	defaultMaxBody = 64 << 20

	// MaxRefusal bounds what is read of an answer that is no success.
	MaxRefusal = 256 << 10
)

// A Transport is an http.RoundTripper that returns answers whose body has been
// read already. It follows no redirects and repeats nothing, except what net/http
// repeats by itself because the server says it did not process it.
type Transport struct {
	options  Options
	base     *http.Transport
	buffers  sync.Pool   // of *bytes.Buffer, empty
	asked    atomic.Bool // a server has asked for a client certificate
	answered atomic.Bool // a request was answered
	chain    atomic.Pointer[[]*x509.Certificate]
}

// New returns a Transport.
func New(o Options) (*Transport, error) {
	roots, err := Roots(o.CA)
	if err != nil {
		return nil, err
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Alive == nil {
		o.Alive = context.Background()
	}
	if len(o.Gateway.Headers) > 0 && o.Origin == nil {
		return nil, errors.New("headers of a gateway need an origin that they go to")
	}
	if secrets := o.Gateway.secrets(); len(secrets) > 0 {
		if o.Redact == nil {
			o.Redact = NewRedactor()
		}
		o.Redact.Add(secrets...)
	}
	t := &Transport{options: o}
	t.base = newBase(o.Socket, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, GetClientCertificate: t.clientCertificate})
	return t, nil
}

func newBase(socket string, conf *tls.Config) *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	proxy, dial := http.ProxyFromEnvironment, dialer.DialContext
	if socket != "" {
		proxy = nil
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
	}
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            dial,
		TLSClientConfig:        conf,
		TLSHandshakeTimeout:    15 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

// Roots returns the pool of the authorities in pem, which replace the system's,
// as VAULT_CACERT and curl's --cacert do; nil, the system's, if there are none.
func Roots(pem []byte) (*x509.CertPool, error) {
	if len(pem) == 0 {
		return nil, nil //nolint:nilnil // nil is the system's pool
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("ca_file holds no certificate in PEM form")
	}
	return pool, nil
}

// Client returns an http.Client that follows no redirects.
func (t *Transport) Client() *http.Client { return Client(t) }

// Client returns an http.Client over rt that follows no redirects.
func Client(rt http.RoundTripper) *http.Client {
	return &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// CloseIdleConnections closes idle connections.
func (t *Transport) CloseIdleConnections() { t.base.CloseIdleConnections() }
