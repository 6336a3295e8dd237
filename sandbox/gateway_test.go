package sandbox_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox"
)

// TestGateways lets the sandbox's own client through, and nobody else.
func TestGateways(t *testing.T) {
	for kind, want := range map[string]int{sandbox.GatewayMTLS: 0, sandbox.GatewayHeader: http.StatusForbidden, sandbox.GatewaySSO: http.StatusFound, "": http.StatusOK} {
		folder := t.TempDir()
		for run := range 2 { // the second finds what the gateway wanted before
			world, err := sandbox.Start(t.Context(), sandbox.Options{Orgs: 1, Bitbuckets: []string{"9.4.0"}, Gateway: kind, State: folder})
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			stranger := &http.Client{
				Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
			for _, address := range []string{world.Facts.Bitbuckets[0].URL + "/status", world.Facts.Terraform.Address + "/api/v2/ping"} {
				if have := statusOf(t, world.HTTPClient(), address); !slices.Contains([]int{http.StatusOK, http.StatusNoContent}, have) {
					t.Errorf("%s, run %d: %s answers %d to its own", kind, run, address, have)
				}
				if have := statusOf(t, stranger, address); have != want && (want != http.StatusOK || have != http.StatusNoContent) {
					t.Errorf("%s, run %d: %s answers %d to a stranger, want %d", kind, run, address, have, want)
				}
			}
			world.HTTPClient().CloseIdleConnections()
			if err := world.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := sandbox.Start(t.Context(), sandbox.Options{Gateway: "wall"}); err == nil {
		t.Error("a gateway of no kind")
	}
}

// A firewall lets reads pass and answers writes with a page of its own.
func TestFirewall(t *testing.T) {
	world, err := sandbox.Start(t.Context(), sandbox.Options{Orgs: 1, Bitbuckets: []string{"9.4.0"}, Gateway: sandbox.GatewayWAF})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	}()
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	for method, want := range map[string]string{"GET": "RUNNING", "PUT": "Request Rejected", "DELETE": "Request Rejected", "POST": "dead link"} {
		path := "/status"
		if method == "POST" {
			path = "/nothing"
		}
		req, err := http.NewRequestWithContext(t.Context(), method, world.Facts.Bitbuckets[0].URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := stranger.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s, %v", method, resp.StatusCode, body, err)
		}
	}
	world.HTTPClient().CloseIdleConnections()
}

// statusOf asks for an address; 0: no answer.
func statusOf(t *testing.T, client *http.Client, address string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
