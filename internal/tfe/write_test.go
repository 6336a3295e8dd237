package tfe_test

import (
	"net/http"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
)

const (
	aClient = `{"data":{"id":"oc-1","type":"oauth-clients","attributes":{"name":"n","key":"k"},"relationships":{"projects":{"data":[]}}}}`
	aToken  = `{"data":{"id":"ot-1","type":"oauth-tokens","attributes":{"has-ssh-key":true}}}`
	aSpace  = `{"data":{"id":"ws-1","type":"workspaces","attributes":{"name":"w","vcs-repo":{"identifier":"P/r","oauth-token-id":"ot-0"}}}}`
)

// A write is one operation of the client that changes something on Terraform.
type write struct {
	do    func(t *testing.T, c *tfe.Client) error
	empty bool // its documented answer is 204
}

var writes = map[string]write{
	"CreateClient": {func(t *testing.T, c *tfe.Client) error {
		_, err := c.CreateClient(t.Context(), "acme", tfe.NewClient{Name: "n", Key: "other"})
		return err
	}, false},
	"UpdateClient": {func(t *testing.T, c *tfe.Client) error {
		return c.UpdateClient(t.Context(), "oc-1", tfe.ClientUpdate{Name: new("new")})
	}, false},
	"UpdateClient, projects": {func(t *testing.T, c *tfe.Client) error {
		return c.UpdateClient(t.Context(), "oc-1", tfe.ClientUpdate{Projects: &[]string{"prj-1"}})
	}, true},
	"DeleteClient": {func(t *testing.T, c *tfe.Client) error { return c.DeleteClient(t.Context(), "oc-1") }, true},
	"DeleteToken":  {func(t *testing.T, c *tfe.Client) error { return c.DeleteToken(t.Context(), "ot-1") }, true},
	"SetSSHKey": {func(t *testing.T, c *tfe.Client) error {
		return c.SetSSHKey(t.Context(), "ot-1", secret.New("key"))
	}, false},
	"CreateWorkspace": {func(t *testing.T, c *tfe.Client) error {
		_, err := c.CreateWorkspace(t.Context(), "acme", "new", "P/r", "", "ot-1")
		return err
	}, false},
	"MoveWorkspace":   {func(t *testing.T, c *tfe.Client) error { return c.MoveWorkspace(t.Context(), "ws-1", "ot-1") }, false},
	"DeleteWorkspace": {func(t *testing.T, c *tfe.Client) error { return c.DeleteWorkspace(t.Context(), "ws-1") }, true},
}

// unchanged is a Terraform on which no write takes effect: it answers each with
// a, and reads as if it had not come.
func unchanged(t *testing.T, a http.HandlerFunc) *tfe.Client {
	t.Helper()
	reads := script{
		"GET oauth-clients/oc-1":               answer(200, aClient),
		"GET organizations/acme/oauth-clients": answer(200, `{"data":[]}`),
		"GET oauth-tokens/ot-1":                answer(200, aToken),
		"GET workspaces/ws-1":                  answer(200, aSpace),
	}
	c, err := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reads.ServeHTTP(w, r)
			return
		}
		a(w, r)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A write succeeded only if its answer has the documented shape: neither a page
// of a firewall or a login with a good status, nor another system's JSON is one.
func TestWritesTakeOnlyTheDocumentedAnswer(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><html><head><title>Request Rejected</title></head></html>"
	answers := map[string]http.HandlerFunc{
		"a page with 200":         answer(200, page, "Content-Type", "text/html"),
		"a page with 201":         answer(201, page, "Content-Type", "text/html"),
		"another object":          answer(200, `{"ok":true}`),
		"another object, created": answer(201, `{"id":1}`),
		"an object of a list":     answer(200, `{"data":[]}`),
		"another type":            answer(200, `{"data":{"id":"x-1","type":"others","attributes":{}}}`),
		"another's id":            answer(200, `{"data":{"id":"x-1","type":"runs","attributes":{"name":"n"}}}`),
		"a list":                  answer(200, `[]`),
		"null":                    answer(200, `null`),
		"nothing with 200":        answer(200, ""),
		"accepted for later":      answer(202, ""),
		"nothing with 204":        answer(204, ""),
		"a page with 404":         answer(404, page, "Content-Type", "text/html"),
	}
	for name, w := range writes {
		for shape, a := range answers {
			if shape == "nothing with 204" && w.empty {
				continue
			}
			t.Run(name+"/"+shape, func(t *testing.T) {
				t.Parallel()
				if err := w.do(t, unchanged(t, a)); err == nil {
					t.Error("success, and nothing was done")
				}
			})
		}
	}
}
