package bitbucket

import (
	"crypto/tls"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestServerWithOldTLS(t *testing.T) {
	asked := newScript(t, says(200, "{}"))
	server := httptest.NewUnstartedServer(asked)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.StartTLS()
	t.Cleanup(server.Close)
	c := client(t, server.URL, func(config *Config) { config.CA = pemOf(server.Certificate().Raw) })
	_, err := c.Links(t.Context())
	if err == nil || !strings.Contains(err.Error(), "only TLS 1.1 or older") || !strings.Contains(err.Error(), "enable TLS 1.2") {
		t.Errorf("error %v", err)
	}
}
