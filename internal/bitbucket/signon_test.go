package bitbucket

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A gateway that asks for a client certificate is named, after one try.
func TestAGatewayThatWantsACertificateIsNamed(t *testing.T) {
	var tries atomic.Int32
	server := httptest.NewUnstartedServer(says(200, "{}"))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		tries.Add(1)
		return nil, nil
	}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	c := client(t, server.URL, func(config *Config) { config.CA = pemOf(server.Certificate().Raw) })
	_, err := c.Links(t.Context())
	if err == nil || tries.Load() != 1 || !strings.Contains(err.Error(), "asks for a client certificate") ||
		!strings.Contains(err.Error(), "set client_certificate and client_key in the block of this server") {
		t.Errorf("%d tries: %v", tries.Load(), err)
	}
}

// A gateway that wants a login, or something else that has to be configured, is
// named, after one try.
func TestAGatewayThatWantsALoginIsNamed(t *testing.T) {
	const okta = `<html><title>Sign In</title><script src="https://ok1static.oktacdn.com/x.js">`
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   []string
	}{
		"a redirect to its login": {
			says(302, "", "Location", "https://acme.cloudflareaccess.com/cdn-cgi/access/login/bb?kid=secret"),
			[]string{"in front of Bitbucket", "redirects to https://acme.cloudflareaccess.com/cdn-cgi/access/login/bb, a login of Cloudflare Access", "header blocks"},
		},
		"a redirect elsewhere": {
			says(302, "", "Location", "https://sso.example/login?x=secret"),
			[]string{"redirects to https://sso.example/login, on another host", "configure its address", "header blocks"},
		},
		"its login page":           {says(200, okta, "Content-Type", "text/html"), []string{"in front of Bitbucket", "a login page of Okta", "header blocks"}},
		"its login page, 401":      {says(401, okta, "Content-Type", "text/html"), []string{"in front of Bitbucket", "a login page of Okta", "header blocks"}},
		"its login page, 503":      {says(503, okta, "Content-Type", "text/html"), []string{"in front of Bitbucket", "a login page of Okta", "header blocks"}},
		"a page for a certificate": {says(400, "<html><head><title>400 No required SSL certificate was sent</title></head><center>nginx", "Content-Type", "text/html"), []string{"in front of Bitbucket", "of nginx", "client_key"}},
	} {
		s := newScript(t, test.answer)
		_, err := client(t, s.url).Links(t.Context())
		if err == nil || s.count() != 1 || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %d requests: %v", name, s.count(), err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
		if strings.Contains(err.Error(), "in front of Bitbucket") && !errors.Is(err, ErrGateway) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
