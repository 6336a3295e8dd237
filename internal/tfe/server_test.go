package tfe_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
)

// A script answers by method and path; what it does not know is a 404 as
// Terraform's. The ping is answered unless the script says otherwise.
type script map[string]http.HandlerFunc

func (s script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v2/")]; h != nil {
		h(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/ping") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(404, `{"errors":[{"status":"404","title":"not found"}]}`)(w, r)
}

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.api+json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func open(t *testing.T, s http.Handler) (*tfe.Client, error) {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	c, err := tfe.New(t.Context(), tfe.Config{Address: web.URL, Token: secret.New("t"), Patience: time.Millisecond, UserAgent: "bbsync/test"})
	if c != nil {
		t.Cleanup(c.Close)
	}
	return c, err
}

func TestPing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
		text   string
	}{
		"refused": {
			answer(422, `{"errors":[{"status":422,"title":"invalid attribute","detail":"d","source":{"pointer":"/data/attributes/key"}}]}`),
			tfe.ErrInvalid, "invalid attribute: d at /data/attributes/key",
		},
		"good":           {answer(204, ""), nil, ""},
		"with a body":    {answer(200, "{}"), nil, ""},
		"bad token":      {answer(401, `{"errors":[{"status":"401","title":"unauthorized"}]}`), tfe.ErrUnauthorized, "expired"},
		"something else": {answer(404, "<html>not here</html>"), tfe.ErrGateway, "is the address right?"},
		"down":           {answer(503, ""), tfe.ErrUnavailable, "503"},
		"a page":         {answer(200, "<html>log in</html>"), tfe.ErrUnavailable, "proxy"},
		"bad headers":    {answer(204, "", "X-RateLimit-Limit", "lots", "X-RateLimit-Reset", "soon"), nil, ""},
		"absurd headers": {answer(204, "", "X-RateLimit-Limit", "1e999", "X-RateLimit-Reset", "-5"), nil, ""},
		"control characters": {
			answer(418, `{"errors":[{"title":"\u001b[31mred","detail":"a\u0007b"},"plain"]}`), nil,
			`\x1b[31mred: a\x07b; plain`,
		},
	} {
		_, err := open(t, script{"GET ping": tt.answer})
		if tt.text == "" {
			if err != nil {
				t.Errorf("%s: have %v", name, err)
			}
			continue
		}
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(strings.ReplaceAll(err.Error(), `\\`, `\`), tt.text) {
			t.Errorf("%s: have %v", name, err)
		}
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	good := tfe.Config{Address: "http://127.0.0.1:1", Token: secret.New("s3cret"), Patience: time.Nanosecond}
	for name, change := range map[string]func(*tfe.Config){
		"path":        func(c *tfe.Config) { c.Address = "https://tfe.corp/prefix" },
		"query":       func(c *tfe.Config) { c.Address = "https://tfe.corp?x=y" },
		"user info":   func(c *tfe.Config) { c.Address = "https://ann:s3cret@tfe.corp" },
		"no scheme":   func(c *tfe.Config) { c.Address = "app.terraform.io" },
		"no address":  func(c *tfe.Config) { c.Address = "" },
		"no token":    func(c *tfe.Config) { c.Token = secret.Text{} },
		"bad CA":      func(c *tfe.Config) { c.CA = []byte("no PEM") },
		"unreachable": func(*tfe.Config) {},
	} {
		cfg := good
		change(&cfg)
		_, err := tfe.New(t.Context(), cfg)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: have %v", name, err)
		}
		if name == "unreachable" && !errors.Is(err, tfe.ErrUnavailable) {
			t.Errorf("%s: have %v", name, err)
		}
	}
}

// go-tfe fills blanks from the environment; there are none to fill.
func TestEnvironmentIsIgnored(t *testing.T) {
	t.Setenv("TFE_ADDRESS", "http://127.0.0.1:1")
	t.Setenv("TFE_HOSTNAME", "127.0.0.1:1")
	t.Setenv("TFE_TOKEN", "wrong")
	good := false
	_, err := open(t, script{"GET ping": func(w http.ResponseWriter, r *http.Request) {
		good = r.Header.Get("Authorization") == "Bearer t" && r.Header.Get("User-Agent") == "bbsync/test"
		w.WriteHeader(http.StatusNoContent)
	}})
	if err != nil || !good {
		t.Errorf("have %v, %v", good, err)
	}
}

func TestTokenStaysWithItsHost(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the stranger was asked") }))
	t.Cleanup(stranger.Close)
	_, err := open(t, http.RedirectHandler(stranger.URL, http.StatusTemporaryRedirect))
	if err == nil || !strings.Contains(err.Error(), "redirects to") {
		t.Errorf("have %v", err)
	}
}

const (
	clientJSON = `{"id":"oc-1","type":"oauth-clients","attributes":{"name":null,"key":"k","connect-path":"/auth/u?organization_id=1",
		"created-at":"2026-01-02T03:04:05.678Z"},"relationships":{"oauth-tokens":{"data":[{"id":"ot-1","type":"oauth-tokens"}]},"agent-pool":{"data":null}}}`
	tokenJSON = `{"id":"%s","type":"oauth-tokens","attributes":{"created-at":"%s","service-provider-user":"svc","has-ssh-key":true}}`
)

// A release that does not include tokens is asked for them one by one.
func TestWithoutInclude(t *testing.T) {
	t.Parallel()
	tokens := answer(200, `{"data":[`+fmt.Sprintf(tokenJSON, "ot-1", "2026-01-01T00:00:00Z")+`,`+fmt.Sprintf(tokenJSON, "ot-2", "2026-02-01T00:00:00Z")+`]}`)
	list := answer(200, `{"data":[`+clientJSON+`]}`)
	asked := 0
	for name, s := range map[string]script{
		"ignored": {"GET organizations/acme/oauth-clients": list, "GET oauth-clients/oc-1/oauth-tokens": tokens},
		"refused": {"GET organizations/acme/oauth-clients": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("include") {
				asked++
				answer(400, `{"errors":[{"status":"400","title":"Invalid include parameter"}]}`)(w, r)
				return
			}
			list(w, r)
		}, "GET oauth-clients/oc-1/oauth-tokens": tokens},
	} {
		c, err := open(t, s)
		must(t, err)
		for range 2 {
			have, err := c.Clients(t.Context(), "acme")
			if err != nil || len(have) != 1 || len(have[0].Tokens) != 2 || have[0].Token.ID != "ot-2" || !have[0].Token.HasSSHKey || have[0].Token.User != "svc" {
				t.Fatalf("%s: have %+v, %v", name, have, err)
			}
			if have[0].Created.IsZero() || have[0].AgentPool != "" || have[0].OrganizationScoped != nil || !strings.HasSuffix(have[0].ConnectURL, "/auth/u?organization_id=1") {
				t.Errorf("%s: have %+v", name, have[0])
			}
		}
	}
	if asked != 1 {
		t.Errorf("asked with include %d times", asked)
	}
}

// A person is sent to no other host than the one the files name, whatever the
// server says.
func TestConnectURLStaysAtHome(t *testing.T) {
	t.Parallel()
	for _, elsewhere := range []string{"https://evil.example/auth/u", "//evil.example/auth/u", "http://evil.example", "javascript:alert(1)", "\\x00"} {
		c, err := open(t, script{"GET organizations/acme/oauth-clients": answer(200, `{"data":[`+strings.Replace(clientJSON, "/auth/u?organization_id=1", elsewhere, 1)+`]}`)})
		must(t, err)
		have, err := c.Clients(t.Context(), "acme")
		if err == nil && (len(have) != 1 || strings.Contains(have[0].ConnectURL, "evil") || strings.HasPrefix(have[0].ConnectURL, "javascript")) {
			t.Errorf("%s: have %+v", elsewhere, have)
		}
	}
}

func TestMalformedLists(t *testing.T) {
	t.Parallel()
	more := `,"meta":{"pagination":{"current-page":1,"total-pages":3}}}`
	for name, body := range map[string]string{
		"repeats":      `{"data":[` + clientJSON + `]` + more,
		"empty page":   `{"data":[]` + more,
		"no data":      `{}`,
		"null":         `null`,
		"a text":       `"text"`,
		"cut":          `{"data":[{"id":"oc-1"`,
		"wrong types":  `{"data":[{"id":5}]}`,
		"attributes":   `{"data":[{"id":"oc-1","attributes":{"name":{}}}]}`,
		"no JSON":      `hello`,
		"nothing":      ``,
		"wrong tokens": `{"data":[{"id":"oc-1","attributes":{},"relationships":{"oauth-tokens":{"data":[{"id":"../../x"}]}}}]}`,
	} {
		c, err := open(t, script{"GET organizations/acme/oauth-clients": answer(200, body)})
		must(t, err)
		if have, err := c.Clients(t.Context(), "acme"); err == nil {
			t.Errorf("%s: have %+v", name, have)
		}
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	token := answer(200, `{"data":`+fmt.Sprintf(tokenJSON, "ot-1", "2026-01-01T00:00:00Z")+`}`)
	repos := answer(200, `{"data":[{"id":"1","type":"authorized-repos","attributes":{"name":"INFRA/vpc","display-identifier":"INFRA/vpc"}}]}`)
	cloud := answer(204, "", "TFP-AppName", "HCP Terraform")
	const path = "GET oauth-tokens/ot-1/authorized-repos"
	for name, tt := range map[string]struct {
		script script
		want   error
	}{
		"seen":         {script{path: repos, "GET oauth-tokens/ot-1": token}, nil},
		"no token":     {script{"GET ping": cloud}, tfe.ErrNotFound},
		"unsupported":  {script{"GET oauth-tokens/ot-1": token}, tfe.ErrUnsupported},
		"refused":      {script{"GET ping": cloud, "GET oauth-tokens/ot-1": token}, tfe.ErrTokenRefused},
		"unauthorized": {script{path: answer(401, "")}, tfe.ErrUnauthorized},
	} {
		c, err := open(t, tt.script)
		must(t, err)
		have, err := c.AuthorizedRepos(t.Context(), "ot-1")
		if !errors.Is(err, tt.want) || (err == nil) != (len(have) == 1 && have[0] == "INFRA/vpc") {
			t.Errorf("%s: have %v, %v", name, have, err)
		}
		if name == "seen" { // the same server refuses another token
			delete(tt.script, path)
			if _, err := c.AuthorizedRepos(t.Context(), "ot-1"); !errors.Is(err, tfe.ErrTokenRefused) {
				t.Errorf("then refused: have %v", err)
			}
		}
	}
	c, err := open(t, script{"GET oauth-tokens/ot-1": token, "GET organizations/acme/vcs/repo": func(w http.ResponseWriter, r *http.Request) {
		exists := r.URL.Query().Get("identifier") == "INFRA/vpc" && r.URL.Query().Get("oauth_token_id") == "ot-1"
		answer(200, fmt.Sprintf(`{"data":{"id":"x","type":"vcs-repo-check","attributes":{"exists":%v}}}`, exists))(w, r)
	}, "GET organizations/acme/vcs-events": answer(200, `{"data":[{"id":"ve-1","attributes":{"created-at":"2026-01-02T03:04:05Z","level":"error","message":"m"},
		"relationships":{"oauth-client":{"data":{"id":"oc-1","type":"oauth-clients"}}}}]}`)})
	must(t, err)
	for identifier, want := range map[string]bool{"INFRA/vpc": true, "INFRA/none": false} {
		if have, err := c.HasRepository(t.Context(), "acme", identifier, "ot-1"); err != nil || have != want {
			t.Errorf("%s: have %v, %v", identifier, have, err)
		}
	}
	if _, err := c.HasRepository(t.Context(), "none", "INFRA/vpc", "ot-1"); !errors.Is(err, tfe.ErrUnsupported) {
		t.Errorf("have %v", err)
	}
	events, err := c.VCSEvents(t.Context(), "acme")
	if err != nil || len(events) != 1 || events[0].Client != "oc-1" || events[0].Level != "error" || events[0].At.IsZero() {
		t.Errorf("have %+v, %v", events, err)
	}
	if _, err := c.VCSEvents(t.Context(), "none"); !errors.Is(err, tfe.ErrUnsupported) {
		t.Errorf("have %v", err)
	}
}

func TestWorkspaces(t *testing.T) {
	t.Parallel()
	const workspace = `{"id":"ws-1","type":"workspaces","attributes":{"name":"vpc","vcs-repo":{"identifier":"INFRA/vpc","branch":"main","oauth-token-id":"ot-1",
		"webhook-url":"https://tf/hook","ingress-submodules":true,"tags-regex":null}}}`
	const bare = `{"id":"ws-2","type":"workspaces","attributes":{"name":"bare","vcs-repo":null}}`
	patched, asked := "", ""
	lost := true
	c, err := open(t, script{
		"GET organizations/acme/workspaces":     answer(200, `{"data":[`+workspace+`,`+bare+`]}`),
		"GET organizations/acme/workspaces/vpc": answer(200, `{"data":`+workspace+`}`),
		"GET workspaces/ws-1":                   answer(200, `{"data":`+workspace+`}`),
		"GET workspaces/ws-2":                   answer(200, `{"data":`+bare+`}`),
		"PATCH workspaces/ws-1": func(w http.ResponseWriter, r *http.Request) {
			body := make([]byte, 1000)
			n, _ := r.Body.Read(body)
			patched = string(body[:n])
			answer(200, `{"data":`+workspace+`}`)(w, r)
		},
		"POST organizations/acme/workspaces": func(w http.ResponseWriter, r *http.Request) {
			if lost {
				answer(502, "")(w, r)
				return
			}
			answer(422, `{"errors":[{"status":"422","title":"unprocessable entity","detail":"OAuth token does not exist"}]}`)(w, r)
		},
		"DELETE workspaces/ws-1": answer(204, ""),
		"GET workspaces/ws-1/configuration-versions": func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.RawQuery
			answer(200, `{"data":[
			{"id":"cv-2","type":"configuration-versions","attributes":{"status":"errored","error":"ingress_failed","error-message":"no route\u001b[2J to host"}},
			{"id":"cv-1","type":"configuration-versions","attributes":{"status":"uploaded","error":null,"error-message":null}}]}`)(w, r)
		},
		"GET workspaces/ws-fine/configuration-versions": answer(200, `{"data":[
			{"id":"cv-1","type":"configuration-versions","attributes":{"status":"uploaded","error":null,"error-message":null}}]}`),
		"GET workspaces/ws-new/configuration-versions": answer(200, `{"data":[]}`),
		"GET workspaces/ws-3":                          answer(200, `{"data":`+workspace+`}`),
	})
	must(t, err)
	want := tfe.Workspace{ID: "ws-1", Name: "vpc", Identifier: "INFRA/vpc", Branch: "main", TokenID: "ot-1", WebhookURL: "https://tf/hook", Submodules: true}
	if have, err := c.WorkspacesByToken(t.Context(), "acme", "ot-1"); err != nil || len(have) != 1 || have[0] != want {
		t.Errorf("have %+v, %v", have, err)
	}
	failed := tfe.ConfigurationVersion{ID: "cv-2", Status: "errored", Error: `no route\x1b[2J to host`}
	if have, err := c.NewestVersion(t.Context(), "ws-1"); err != nil || have != failed || asked != "page%5Bsize%5D=1" {
		t.Errorf("have %+v, %v, asked for %s", have, err, asked)
	}
	if have, err := c.NewestVersion(t.Context(), "ws-fine"); err != nil || have != (tfe.ConfigurationVersion{ID: "cv-1", Status: "uploaded"}) {
		t.Errorf("have %+v, %v", have, err)
	}
	if have, err := c.NewestVersion(t.Context(), "ws-new"); err != nil || have != (tfe.ConfigurationVersion{}) {
		t.Errorf("of a workspace without any: have %+v, %v", have, err)
	}
	if have, err := c.CreateWorkspace(t.Context(), "acme", "vpc", "INFRA/vpc", "", "ot-1"); err != nil || have != want {
		t.Errorf("have %+v, %v", have, err)
	}
	if _, err := c.CreateWorkspace(t.Context(), "acme", "other", "INFRA/vpc", "", "ot-1"); !errors.Is(err, tfe.ErrUnknownOutcome) {
		t.Errorf("have %v", err)
	}
	lost = false
	if _, err := c.CreateWorkspace(t.Context(), "acme", "x", "INFRA/vpc", "", "ot-9"); !errors.Is(err, tfe.ErrInvalid) || !strings.Contains(err.Error(), "OAuth token does not exist") {
		t.Errorf("have %v", err)
	}
	must(t, c.MoveWorkspace(t.Context(), "ws-1", "ot-1"))
	if patched != "" {
		t.Error("moved to where it is")
	}
	must(t, c.MoveWorkspace(t.Context(), "ws-1", "ot-2"))
	for _, part := range []string{`"oauth-token-id":"ot-2"`, `"branch":"main"`, `"ingress-submodules":true`, `"identifier":"INFRA/vpc"`} {
		if !strings.Contains(patched, part) {
			t.Errorf("sent %s", patched)
		}
	}
	if err := c.MoveWorkspace(t.Context(), "ws-3", "ot-2"); !errors.Is(err, tfe.ErrNotFound) || !strings.Contains(err.Error(), `give the team of that token "Manage Workspaces"`) {
		t.Errorf("a workspace that may be seen and not changed: have %v", err)
	}
	if err := c.MoveWorkspace(t.Context(), "ws-2", "ot-2"); !errors.Is(err, tfe.ErrInvalid) {
		t.Errorf("have %v", err)
	}
	must(t, c.DeleteWorkspace(t.Context(), "ws-1"))
	if _, err := c.Workspace(t.Context(), "acme", "none"); !errors.Is(err, tfe.ErrNotFound) {
		t.Errorf("have %v", err)
	}
}

func TestTLSTrustsTheGivenAuthorityOnly(t *testing.T) {
	t.Parallel()
	web := httptest.NewUnstartedServer(script{})
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the client that does not trust it
	web.StartTLS()
	t.Cleanup(web.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	cfg := tfe.Config{Address: web.URL, CA: ca, Token: secret.New("t"), Patience: time.Millisecond}
	c, err := tfe.New(t.Context(), cfg)
	must(t, err)
	c.Close()
	cfg.CA = nil
	if _, err := tfe.New(t.Context(), cfg); !errors.Is(err, tfe.ErrUnavailable) || !strings.Contains(err.Error(), "set ca_file") {
		t.Errorf("have %v", err)
	}
}

// Whatever a server sends, it is an error or clients, and no crash.
func FuzzClients(f *testing.F) {
	f.Add(200, `{"data":[`+clientJSON+`],"included":[`+fmt.Sprintf(tokenJSON, "ot-1", "2026-01-01T00:00:00Z")+`]}`)
	f.Add(200, `{"data":[],"meta":{"pagination":{"current-page":1,"total-pages":3}}}`)
	f.Add(422, `{"errors":[{"status":422,"title":"t","detail":"d","source":{"pointer":"/data"}},"text",5,null]}`)
	f.Add(404, `<html>`)
	status, body := 200, ""
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/ping") {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(status, body)(w, r)
	}))
	f.Cleanup(web.Close)
	c, err := tfe.New(f.Context(), tfe.Config{Address: web.URL, Token: secret.New("t"), Patience: time.Nanosecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.Close)
	f.Fuzz(func(t *testing.T, s int, b string) {
		if s < 200 || s > 599 || s == 429 || s == 204 || s == 304 { // 429 is waited for
			return
		}
		status, body = s, b
		have, err := c.Clients(t.Context(), "acme")
		if err != nil && have != nil {
			t.Errorf("have %v and %v", have, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\x07\r") {
			t.Errorf("control characters: %q", err)
		}
	})
}
