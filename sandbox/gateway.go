package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/bbsync/bbsync/sandbox/front"
)

// The kinds of gateways in front of Terraform and the Bitbuckets.
const (
	GatewayMTLS   = "mtls"   // asks for a client certificate
	GatewayHeader = "header" // answers 403 and a page to requests without a header
	GatewaySSO    = "sso"    // redirects to a login what has no service token
	GatewayWAF    = "waf"    // a web application firewall: lets reads pass, and writes of those it is told of
)

// GatewayKinds lists the kinds of gateways.
func GatewayKinds() []string { return []string{GatewayMTLS, GatewayHeader, GatewaySSO, GatewayWAF} }

// GatewayFacts are what the gateway wants.
type GatewayFacts struct {
	Kind        string            `json:"kind,omitempty"` // "": none
	Headers     map[string]string `json:"headers,omitempty"`
	Certificate string            `json:"certificate,omitempty"` // file in PEM
	Key         string            `json:"key,omitempty"`         // file in PEM
}

// openGateway makes up what the gateway wants, or keeps what it wanted before.
func (w *World) openGateway() error {
	g := &w.Facts.Gateway
	if g.Kind == w.opts.Gateway {
		return nil
	}
	*g = GatewayFacts{Kind: w.opts.Gateway}
	switch g.Kind {
	case "":
		return nil
	case GatewayHeader:
		g.Headers = map[string]string{"X-Gateway-Key": canary("gateway")}
	case GatewayWAF:
		g.Headers = map[string]string{"X-Waf-Exception": canary("gateway")}
	case GatewaySSO:
		g.Headers = map[string]string{"Cf-Access-Client-Id": "bbsync.access", "Cf-Access-Client-Secret": canary("gateway")}
	case GatewayMTLS:
		g.Certificate, g.Key = filepath.Join(w.folder, "client.pem"), filepath.Join(w.folder, "client-key.pem")
		return makeClientCertificate(g.Certificate, g.Key)
	default:
		return fmt.Errorf("no gateway %q: there are %s", g.Kind, strings.Join(GatewayKinds(), ", "))
	}
	return nil
}

func makeClientCertificate(certificateFile, keyFile string) error {
	_, key, der, err := certificate(&x509.Certificate{
		Subject: pkix.Name{CommonName: "bbsync"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, nil, nil)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(certificateFile, encode("CERTIFICATE", der), 0o600), os.WriteFile(keyFile, encode("PRIVATE KEY", keyDER), 0o600))
}

// front returns what lets requests through to a server, nil for TLS's business.
func (g GatewayFacts) front() *front.Gateway {
	switch g.Kind {
	case GatewayHeader:
		return &front.Gateway{Headers: g.Headers, Answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<!DOCTYPE html><html><head><title>Access denied by the gateway</title></head><body>Access denied</body></html>\n")
		}}
	case GatewayWAF: // as a firewall whose rules know GET and POST alone
		return &front.Gateway{Headers: g.Headers, Methods: []string{http.MethodPut, http.MethodPatch, http.MethodDelete}, Answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br><br>"+
				"Your support ID is: 4711</body></html>\n")
		}}
	case GatewaySSO: // as Cloudflare Access redirects a request without a service token
		return &front.Gateway{Headers: g.Headers, Answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://sandbox.cloudflareaccess.com/cdn-cgi/access/login/"+r.Host+"?redirect_url=%2F", http.StatusFound)
		}}
	}
	return nil
}

// demand has a server's TLS ask for the client certificate, where the gateway does.
func (g GatewayFacts) demand(conf *tls.Config) error {
	if g.Kind != GatewayMTLS {
		return nil
	}
	pem, err := os.ReadFile(g.Certificate)
	if err != nil {
		return err
	}
	conf.ClientAuth, conf.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	conf.ClientCAs.AppendCertsFromPEM(pem)
	return nil
}

// Through returns a transport that passes the gateway: what the servers and the
// people of the sandbox use.
func (g GatewayFacts) Through(base *http.Transport) (http.RoundTripper, error) {
	if g.Kind == GatewayMTLS {
		pair, err := tls.LoadX509KeyPair(g.Certificate, g.Key)
		if err != nil {
			return nil, err
		}
		base.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	if len(g.Headers) == 0 {
		return base, nil
	}
	return &withHeaders{base, g.Headers}, nil
}

type withHeaders struct {
	base    http.RoundTripper
	headers map[string]string
}

// RoundTrip implements http.RoundTripper.
func (t *withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range t.headers {
		r.Header.Set(name, value)
	}
	return t.base.RoundTrip(r)
}

// secrets are the gateway's fields of secret/platform/gateway.
func (g GatewayFacts) secrets() (map[string]string, error) {
	fields := map[string]string{}
	for name, value := range g.Headers {
		fields[strings.ToLower(name)] = value
	}
	for name, file := range map[string]string{"certificate": g.Certificate, "key": g.Key} {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		fields[name] = string(text)
	}
	return fields, nil
}
