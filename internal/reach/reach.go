// Package reach looks at how a server can be reached from this machine: its
// name, its port, the proxy on the way, and the certificate it shows. It sends
// no request and no credential, and what it sees is true of this machine only.
package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
)

// timeout bounds each of the looks.
const timeout = 10 * time.Second

// A Certificate is one of the chain that the server showed.
type Certificate struct {
	Subject, Issuer string
	Names           []string // that it is for; of the server's own alone
	NotAfter        time.Time
}

// A Sight is what was seen of a server.
type Sight struct {
	Address string
	Proxy   string   // host:port; "" for none
	IPs     []string // none with a proxy, which looks the name up itself
	Name    error    // the name could not be looked up
	Port    error    // no connection
	TLS     error    // the certificate does not verify, or there was no handshake
	Chain   []Certificate
}

// Look looks at the server of an address: https://host[:port], http://, or unix://
// with a socket's path. ca is the PEM of ca_file, nil for the system's authorities.
func Look(ctx context.Context, address string, ca []byte) Sight {
	s := Sight{Address: address}
	u, err := url.Parse(address)
	if err != nil {
		s.Name = errors.New("the address does not parse")
		return s
	}
	if u.Scheme == "unix" {
		s.Port = dial(ctx, "unix", u.Path)
		return s
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil {
		s.Port = errors.New("the proxy named in the environment does not parse")
		return s
	}
	if proxy != nil {
		s.Proxy = proxy.Host
		s.Port = Dial(ctx, withPort(proxy))
	} else {
		s.direct(ctx, u)
	}
	if s.Name == nil && s.Port == nil && u.Scheme == "https" {
		s.handshake(ctx, u, proxy, ca)
	}
	return s
}

// direct looks the name up and opens a connection.
func (s *Sight) direct(ctx context.Context, u *url.URL) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if s.IPs, s.Name = net.DefaultResolver.LookupHost(ctx, u.Hostname()); s.Name == nil {
		s.Port = Dial(ctx, withPort(u))
	}
}

// Dial reports, as an error, why no connection to host:port can be made.
func Dial(ctx context.Context, addr string) error { return dial(ctx, "tcp", addr) }

func dial(ctx context.Context, network, addr string) error {
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

func withPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// errSeen ends a handshake once the certificates have been seen: nothing is to
// be sent over it.
var errSeen = errors.New("seen")

// handshake takes the chain whether it verifies or not, and ends before the
// first request.
func (s *Sight) handshake(ctx context.Context, u, proxy *url.URL, ca []byte) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pool, err := httpx.Roots(ca)
	if err != nil {
		s.TLS = err
		return
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // verified below, where the chain can be kept; no request follows
		VerifyConnection: func(state tls.ConnectionState) error {
			s.TLS = s.verify(state.PeerCertificates, u.Hostname(), pool)
			return errSeen
		},
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, u.Scheme+"://"+u.Host+"/", nil)
	if err != nil {
		s.TLS = err
		return
	}
	response, err := transport.RoundTrip(request)
	if err == nil { // only without TLS, which https rules out
		_ = response.Body.Close()
		return
	}
	if !errors.Is(err, errSeen) {
		s.TLS = httpx.ExplainTLS(err)
	}
}

func (s *Sight) verify(chain []*x509.Certificate, host string, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for i, c := range chain {
		seen := Certificate{Subject: c.Subject.String(), Issuer: c.Issuer.String(), NotAfter: c.NotAfter}
		if i == 0 {
			seen.Names = c.DNSNames
			for _, ip := range c.IPAddresses {
				seen.Names = append(seen.Names, ip.String())
			}
		} else {
			between.AddCert(c)
		}
		s.Chain = append(s.Chain, seen)
	}
	if len(chain) == 0 {
		return errors.New("the server shows no certificate")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between})
	return err
}
