package vaulttest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Proxy starts a Vault Proxy that adds a token to requests that have none, and
// returns its address: unix:// and the path of its socket.
func (s *Server) Proxy(t testing.TB, token string) string {
	t.Helper()
	binary, err := binaryPath()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "vp") //nolint:usetesting // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket, file, config := filepath.Join(folder, "s"), filepath.Join(folder, "token"), filepath.Join(folder, "proxy.hcl")
	text := fmt.Sprintf("vault { address = %q }\nauto_auth {\n method \"token_file\" { config = { token_file_path = %q } }\n}\n"+
		"api_proxy { use_auto_auth_token = true }\nlistener \"unix\" {\n address = %q\n tls_disable = true\n require_request_header = true\n}\n", s.Address, file, socket)
	for name, content := range map[string]string{file: token, config: text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	process, err := launch(binary, []string{"until-eof", "proxy", "-config=" + config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.stop(); err != nil {
			t.Errorf("stopping the Vault Proxy: %v", err)
		}
	})
	if err := process.awaitProxy(t.Context(), socket); err != nil {
		t.Fatalf("the Vault Proxy: %v; it printed:\n%s", err, process.output())
	}
	return "unix://" + socket
}

// awaitProxy waits until the proxy adds its token.
func (p *process) awaitProxy(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/v1/auth/token/lookup-self", nil)
		if err != nil {
			return err
		}
		req.Header.Set("X-Vault-Request", "true")
		if resp, err := client.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.done:
			return p.end
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
