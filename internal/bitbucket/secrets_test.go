package bitbucket

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
)

// hardPassword has characters that every way of quoting escapes.
const hardPassword = `pa/55+"word"<&canary>`

// echoes is a step that refuses and repeats the request, headers and body, in the
// way that quote says, in body, headers and redirect.
func echoes(status int, quote func(string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, password, _ := r.BasicAuth()
		sent := fmt.Sprintf("%s %s %s", password, r.Header, body)
		w.Header().Set("X-Arequestid", password)
		w.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(password))
		w.Header().Set("Www-Authenticate", `OAuth oauth_problem="`+url.PathEscape(password)+`"`)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, quote(sent))
	}
}

func quotes() map[string]func(string) string {
	marshal := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return map[string]func(string) string{
		"plain":        func(s string) string { return s },
		"JSON":         func(s string) string { return marshal(map[string]any{"errors": []any{map[string]any{"message": s}}}) },
		"JSON in JSON": func(s string) string { return marshal(map[string]any{"message": marshal(s)}) },
		"unusual JSON": func(s string) string {
			escaped := ""
			for _, r := range s {
				escaped += fmt.Sprintf(`\u%04x`, r)
			}
			return `{"message":"` + escaped + `"}`
		},
		"page": func(s string) string {
			return "<!DOCTYPE html><html><title>" + html.EscapeString(s) + "</title></html>"
		},
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"URL":    url.QueryEscape,
		"cut":    func(s string) string { return strings.Repeat("x", maxText-12) + " " + s },
	}
}

// TestNoAnswerBringsBackThePassword asks all kinds of questions of a server that
// repeats every request in its refusals.
func TestNoAnswerBringsBackThePassword(t *testing.T) {
	ctx, pair, consumer := t.Context(), sshPair(t), consumerPair(t)
	requests := map[string]func(*Client) error{
		"links":   func(c *Client) error { _, err := c.Links(ctx); return err },
		"keys":    func(c *Client) error { _, err := c.SSHKeys(ctx, "svc"); return err },
		"add key": func(c *Client) error { _, err := c.AddSSHKey(ctx, "svc", pair.Public, "label", 0); return err },
		"link":    func(c *Client) error { _, err := c.CreateLink(ctx, "tf", "https://tf.example/app/acme"); return err },
		"consumer": func(c *Client) error {
			return c.SetConsumer(ctx, "id", Consumer{Key: "k", Name: "n", PublicKey: consumer.Public})
		},
		"delete": func(c *Client) error { return c.DeleteSSHKey(ctx, "svc", 1) },
		"grant":  func(c *Client) error { return c.Grant(ctx, "svc", Permission{"INFRA", "", "PROJECT_ADMIN"}) },
		"prove":  func(c *Client) error { return c.ProveConsumer(ctx, "k", consumer.Private) },
	}
	for name, quote := range quotes() {
		for _, status := range []int{200, 302, 400, 401, 403, 404, 409, 500, 502} {
			s := newScript(t, echoes(status, quote))
			for request, ask := range requests {
				c := client(t, s.url, func(config *Config) { config.Password = secret.New(hardPassword) })
				if err := ask(c); err != nil {
					noPassword(t, fmt.Sprintf("%s, %d, %s", name, status, request), err)
				}
			}
		}
	}
}

func noPassword(t *testing.T, what string, err error) {
	t.Helper()
	fields, _ := json.Marshal(err)
	text := err.Error() + fmt.Sprintf("%+v %#v", err, err) + string(fields)
	for _, form := range []string{
		hardPassword, `pa/55+\"word\"`, url.QueryEscape(hardPassword), url.PathEscape(hardPassword), html.EscapeString(hardPassword), "pa/55+",
		base64.StdEncoding.EncodeToString([]byte("admin:" + hardPassword)), base64.StdEncoding.EncodeToString([]byte("admin:" + hardPassword))[:20],
		base64.RawURLEncoding.EncodeToString([]byte(hardPassword)),
	} {
		if strings.Contains(text, form) {
			t.Errorf("%s: %s is in %s", what, form, text)
			return
		}
	}
}
