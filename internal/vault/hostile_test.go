package vault_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/httpx/goaway"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
)

const (
	hardToken = `hvs.to/ken+"canary"<&>.0123456789`
	keyLine   = "MIIEowIBAAKCAQEA1c7+9z5Pad7OejecsQ0buH0ZfRlkQ1Hx2c3d4e5f6a7b8c9d"
)

// hostile is a Vault that a client can log in to, and that answers everything else
// as answer does.
func hostile(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch path := strings.TrimPrefix(r.URL.Path, "/v1/"); {
		case strings.HasPrefix(path, "auth/token/lookup-self"):
			_, _ = io.WriteString(w, `{"data":{"ttl":0,"renewable":false}}`)
		case strings.HasPrefix(path, "sys/internal/ui/mounts/"):
			_, _ = io.WriteString(w, `{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}`)
		default:
			answer(w, r)
		}
	}
}

func loginTo(t *testing.T, url string) *vault.Client {
	t.Helper()
	c, err := vault.Login(t.Context(), vault.Config{Address: url, Auth: vault.Auth{Token: secret.New(hardToken)}, Patience: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestNoAnswerBringsBackASecret has a Vault that repeats every request in its
// refusals, in different forms.
func TestNoAnswerBringsBackASecret(t *testing.T) {
	t.Parallel()
	marshal := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	written := sample()
	written.Consumer.Private = secret.New("-----BEGIN RSA PRIVATE KEY-----\n" + keyLine + "\n-----END RSA PRIVATE KEY-----\n")
	for name, quote := range map[string]func(string) string{
		"plain": func(s string) string { return s },
		"JSON":  func(s string) string { return marshal(map[string]any{"errors": []string{s}}) },
		"twice": func(s string) string { return marshal(map[string]any{"errors": []string{marshal(s)}}) },
		"page":  func(s string) string { return "<html><title>" + html.EscapeString(s) + "</title></html>" },
		"cut": func(s string) string {
			return marshal(map[string]any{"errors": []string{strings.Repeat("x", 380) + s}})
		},
	} {
		for _, status := range []int{200, 307, 400, 403, 404, 412, 500, 503} {
			server := httptest.NewServer(hostile(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				token := r.Header.Get("X-Vault-Token")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, quote(token+" "+base64.StdEncoding.EncodeToString([]byte(token))+" "+string(body)))
			}))
			t.Cleanup(server.Close)
			c := loginTo(t, server.URL)
			_, _, readErr := c.Read(t.Context(), "a")
			_, writeErr := c.Write(t.Context(), "a", written, 0)
			_, listErr := c.List(t.Context(), "")
			for _, err := range []error{readErr, writeErr, listErr, c.DestroyOlder(t.Context(), "a", 3)} {
				if err == nil {
					continue
				}
				fields, _ := json.Marshal(err)
				text := err.Error() + string(fields)
				for _, form := range []string{hardToken, hardToken[:12], `canary\"<`, html.EscapeString(hardToken), base64.StdEncoding.EncodeToString([]byte(hardToken))[:16], keyLine[:12], keyLine[30:]} {
					if strings.Contains(text, form) {
						t.Errorf("%s, %d: %s is in %s", name, status, form, text)
						break
					}
				}
			}
		}
	}
}

// TestEndlessFolders has a Vault in which every folder has another one.
func TestEndlessFolders(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(hostile(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = io.WriteString(w, `{"data":{"keys":["a","b/",".."]}}`)
	}))
	t.Cleanup(server.Close)
	if have, err := loginTo(t, server.URL).List(t.Context(), ""); err == nil || asked > 1000 {
		t.Errorf("%d names after %d requests, %v", len(have), asked, err)
	}
}

// TestNestedAnswers has answers whose brackets would fill the stack of a decoder
// that follows them.
func TestNestedAnswers(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 400_000)
	for _, body := range []string{deep, `{"data":` + deep, `{"data":{"data":{"x":` + deep, `{"errors":` + deep} {
		for _, status := range []int{200, 400, 403} {
			server := httptest.NewServer(hostile(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}))
			t.Cleanup(server.Close)
			if _, _, err := loginTo(t, server.URL).Read(t.Context(), "a"); err == nil || len(err.Error()) > 1000 {
				t.Errorf("%d: %.200v", status, err)
			}
		}
	}
}

// TestGatewaysAreNamed has a page of a firewall where Vault's word was expected.
func TestGatewaysAreNamed(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{403: vault.ErrGateway, 404: vault.ErrUnavailable, 503: vault.ErrUnavailable, 200: vault.ErrUnavailable} {
		server := httptest.NewServer(hostile(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html><title>Access Denied</title>errors.edgesuite.net")
		}))
		t.Cleanup(server.Close)
		_, _, err := loginTo(t, server.URL).Read(t.Context(), "a")
		if !errors.Is(err, want) || errors.Is(err, vault.ErrForbidden) || errors.Is(err, vault.ErrNotFound) || !strings.Contains(err.Error(), "Akamai") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestCertificateErrorsAreNotRepeated counts the connections of a client whose
// patience is long.
func TestCertificateErrorsAreNotRepeated(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(nil)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	for name, auth := range map[string]vault.Auth{
		"token": {Token: secret.New("t")}, "userpass": {Method: vault.MethodUserpass, Username: "u", Password: secret.New("the-password")},
	} {
		connections.Store(0)
		_, err := vault.Login(t.Context(), vault.Config{Address: server.URL, Auth: auth, Patience: time.Hour})
		if err == nil || !strings.Contains(err.Error(), "set ca_file") || connections.Load() != 1 {
			t.Errorf("%s: %d connections, %v", name, connections.Load(), err)
		}
	}
}

// TestGOAWAY writes through a proxy that ends the connection before the write.
func TestGOAWAY(t *testing.T) {
	t.Parallel()
	url, ca := goaway.Server(t, hostile(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"data":{"version":1,"created_time":"2026-01-01T00:00:00Z"}}`)
	}))
	c, err := vault.Login(t.Context(), vault.Config{Address: url, CA: ca, Auth: vault.Auth{Token: secret.New(hardToken)}, Patience: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if version, err := c.Write(t.Context(), "a", sample(), 0); err != nil || version != 1 {
		t.Errorf("version %d, %v", version, err)
	}
}

// TestBrokenAnswerIsForgotten has an answer with a record that is broken behind it,
// and then the answer for a missing one.
func TestBrokenAnswerIsForgotten(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(hostile(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			_, _ = io.WriteString(w, `{"data":{"data":{"format":"1"},"metadata":{"version":3}},"warnings":1}`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[]}`)
	}))
	t.Cleanup(server.Close)
	c, err := vault.Login(t.Context(), vault.Config{Address: server.URL, Auth: vault.Auth{Token: secret.New(hardToken)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if r, version, err := c.Read(t.Context(), "a"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("a record of version %d after %d answers: %+v, %v", version, asked.Load(), r, err)
	}
}
