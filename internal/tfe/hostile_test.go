package tfe_test

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
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/httpx/goaway"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
)

const (
	hardToken = `to/ken+"canary"<&>.atlasv1.0123456789`
	keyLine   = "MIIEowIBAAKCAQEA1c7+9z5Pad7OejecsQ0buH0ZfRlkQ1Hx2c3d4e5f6a7b8c9d"
	keyPEM    = "-----BEGIN RSA PRIVATE KEY-----\n" + keyLine + "\n-----END RSA PRIVATE KEY-----\n"
)

// TestNoAnswerBringsBackASecret has a server that repeats every request in its
// refusals, in different forms.
func TestNoAnswerBringsBackASecret(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	private := secret.New(keyPEM)
	requests := map[string]func(*tfe.Client) error{
		"list": func(c *tfe.Client) error { _, err := c.Clients(ctx, "acme"); return err },
		"create": func(c *tfe.Client) error {
			_, err := c.CreateClient(ctx, "acme", tfe.NewClient{Key: "k", Secret: private})
			return err
		},
		"update": func(c *tfe.Client) error { return c.UpdateClient(ctx, "oc-1", tfe.ClientUpdate{Secret: &private}) },
		"key":    func(c *tfe.Client) error { return c.SetSSHKey(ctx, "ot-1", private) },
		"delete": func(c *tfe.Client) error { return c.DeleteClient(ctx, "oc-1") },
	}
	for name, quote := range map[string]func(string) string{
		"plain": func(s string) string { return s },
		"JSON:API": func(s string) string {
			return jsonOf(map[string]any{"errors": []any{map[string]any{"title": s, "detail": "was " + s}}})
		},
		"list": func(s string) string { return jsonOf(map[string]any{"errors": []string{jsonOf(s)}}) },
		"page": func(s string) string { return "<html><title>" + html.EscapeString(s) + "</title></html>" },
		"cut":  func(s string) string { return jsonOf(map[string]any{"errors": []string{strings.Repeat("x", 380) + s}}) },
	} {
		for _, status := range []int{200, 307, 400, 401, 403, 404, 422, 500, 502} {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/ping") {
					return
				}
				body, _ := io.ReadAll(r.Body)
				token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				w.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(token))
				w.WriteHeader(status)
				_, _ = io.WriteString(w, quote(token+" "+keyLine+" "+base64.StdEncoding.EncodeToString([]byte(token))+string(body)))
			}))
			c, err := tfe.New(ctx, tfe.Config{Address: web.URL, Token: secret.New(hardToken), Patience: time.Nanosecond})
			must(t, err)
			for request, ask := range requests {
				// Only what sends the key can know it.
				if err := ask(c); err != nil {
					noSecret(t, fmt.Sprintf("%s, %d, %s", name, status, request), err, request == "create" || request == "update" || request == "key")
				}
			}
			c.Close()
			web.Close()
		}
	}
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func noSecret(t *testing.T, what string, err error, key bool) {
	t.Helper()
	fields, _ := json.Marshal(err)
	text := err.Error() + string(fields)
	forms := []string{
		hardToken, `to/ken+\"canary`, hardToken[:12], hardToken[len(hardToken)-12:], url.PathEscape(hardToken), html.EscapeString(hardToken),
		base64.StdEncoding.EncodeToString([]byte(hardToken))[:20],
	}
	if key {
		forms = append(forms, keyLine[:12], keyLine[40:])
	}
	for _, form := range forms {
		if strings.Contains(text, form) {
			t.Errorf("%s: %s is in %s", what, form, text)
			return
		}
	}
}

// TestEndlessLists has servers whose lists never end.
func TestEndlessLists(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]func(number int) string{
		"one more each time": func(n int) string {
			return fmt.Sprintf(`{"data":[{"id":"o-%d"}],"meta":{"pagination":{"current-page":%d,"total-pages":%d}}}`, n, n, n+1)
		},
		"a billion": func(n int) string {
			return fmt.Sprintf(`{"data":[{"id":"o-%d"}],"meta":{"pagination":{"current-page":%d,"total-pages":1000000000}}}`, n, n)
		},
	} {
		asked := 0
		c, err := open(t, script{"GET organizations": func(w http.ResponseWriter, r *http.Request) {
			asked++
			number := 1
			_, _ = fmt.Sscan(r.URL.Query().Get("page[number]"), &number)
			answer(200, page(number))(w, r)
		}})
		must(t, err)
		have, err := c.Organizations(t.Context())
		if err == nil || asked > 100 {
			t.Errorf("%s: %d names after %d requests, %v", name, len(have), asked, err)
		}
	}
}

// TestNestedAnswers has answers whose brackets would fill the stack of a decoder
// that follows them.
func TestNestedAnswers(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 400_000)
	for _, body := range []string{deep, `{"data":` + deep, `{"data":[{"id":"a","attributes":{"name":` + deep, `{"errors":` + deep} {
		for _, status := range []int{200, 422} {
			c, err := open(t, script{"GET organizations/acme/oauth-clients": answer(status, body)})
			must(t, err)
			if _, err := c.Clients(t.Context(), "acme"); err == nil || len(err.Error()) > 1000 {
				t.Errorf("%d: %.200v", status, err)
			}
		}
	}
}

// TestGatewaysAreNamed has pages of a firewall where Terraform's word was expected.
func TestGatewaysAreNamed(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{401: tfe.ErrGateway, 403: tfe.ErrGateway, 404: tfe.ErrGateway, 502: tfe.ErrUnavailable, 200: tfe.ErrUnavailable} {
		c, err := open(t, script{"GET organizations/acme/oauth-clients": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator. Your support ID is: 1234567890</body></html>")
		}})
		must(t, err)
		_, err = c.Clients(t.Context(), "acme")
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "F5 BIG-IP") || !strings.Contains(err.Error(), "1234567890") ||
			errors.Is(err, tfe.ErrUnauthorized) || errors.Is(err, tfe.ErrNotFound) || strings.Contains(err.Error(), "expired") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestCertificateErrorsAreNotRepeated counts the connections of a client whose
// patience is long.
func TestCertificateErrorsAreNotRepeated(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	web := httptest.NewUnstartedServer(nil)
	web.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	t.Cleanup(web.Close)
	_, err := tfe.New(t.Context(), tfe.Config{Address: web.URL, Token: secret.New("t"), Patience: time.Hour})
	if err == nil || !strings.Contains(err.Error(), "ca_file") || connections.Load() != 1 {
		t.Errorf("%d connections, %v", connections.Load(), err)
	}
}

// TestGOAWAY creates a client through a proxy that ends the connection before the
// request that creates it.
func TestGOAWAY(t *testing.T) {
	t.Parallel()
	url, ca := goaway.Server(t, script{"POST organizations/acme/oauth-clients": answer(201, `{"data":`+clientJSON+`}`), "GET oauth-clients/oc-1/oauth-tokens": answer(200, `{"data":[]}`)})
	c, err := tfe.New(t.Context(), tfe.Config{Address: url, CA: ca, Token: secret.New("t"), Patience: time.Millisecond})
	must(t, err)
	t.Cleanup(c.Close)
	have, err := c.CreateClient(t.Context(), "acme", tfe.NewClient{Key: "k"})
	if err != nil || have.ID != "oc-1" {
		t.Errorf("have %+v, %v", have, err)
	}
}
