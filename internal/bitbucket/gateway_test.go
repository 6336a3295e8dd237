package bitbucket

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
)

// A firewall's page says nothing of the account's permissions.
func TestAFirewallThatRefusesTheMethodIsNamed(t *testing.T) {
	const page = "<html><head><title>403 Forbidden</title></head><body>Request blocked</body></html>"
	key := sshPair(t).Public
	for name, write := range writes(t) {
		err := write.do(t, unchanged(t, says(403, page, "Content-Type", "text/html", "X-AUSERNAME", "admin"), key))
		if !errors.Is(err, ErrGateway) || errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var e *Error
		errors.As(err, &e)
		if text := err.Error(); !strings.Contains(text, `a web page titled "403 Forbidden"`) ||
			!strings.Contains(text, "have it let "+e.Method+" requests to /rest/") && name != "ProveConsumer" || strings.Contains(text, "ADMIN permission") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// What the first refusal said is shown wherever it stops something.
func TestTheFirstRefusalIsShown(t *testing.T) {
	for name, test := range map[string]struct {
		refusal http.HandlerFunc
		want    []string
	}{
		"a gateway": {
			says(401, "<html><head><title>Sign in to the corporate gateway</title></head></html>", "Content-Type", "text/html"),
			[]string{"refused by something in front of Bitbucket", "401 Unauthorized", `a web page titled "Sign in to the corporate gateway"`, "avoid locking it"},
		},
		"Bitbucket": {
			says(401, `{"errors":[{"message":"Authentication failed.","exceptionName":"x.IncorrectPasswordAuthenticationException"}]}`, "X-AREQUESTID", "@ABC1"),
			[]string{"username or password refused", "401 Unauthorized: Authentication failed.", "request @ABC1", "avoid locking it"},
		},
	} {
		s := newScript(t, test.refusal)
		c := client(t, s.url)
		if _, err := c.Links(t.Context()); err == nil {
			t.Errorf("%s: let in", name)
		}
		_, err := c.SSHKeys(t.Context(), "svc")
		if err == nil || s.count() != 1 {
			t.Fatalf("%s: %v after %d requests", name, err, s.count())
		}
		for _, want := range append(test.want, `reading the SSH keys of user "svc"`, "not sent", "GET /rest/applinks/3.0/applinks") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
	}
}

// An answer that does not name the account shows that its header got lost on the
// way, and nothing of its permissions.
func TestADroppedAuthorizationHeaderIsNamed(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	must(t, w.front.Order(front.Fault{Kind: front.DropAccount, Times: -1}))
	_, _ = w.client.Links(t.Context())
	for name, read := range map[string]func(*Client) error{
		"links":      func(c *Client) error { _, err := c.Links(t.Context()); return err },
		"user":       func(c *Client) error { _, err := c.User(t.Context(), "svc@tf"); return err },
		"SSH keys":   func(c *Client) error { _, err := c.SSHKeys(t.Context(), "svc@tf"); return err },
		"repository": func(c *Client) error { _, err := c.Repository(t.Context(), "INFRA", "vpc"); return err },
		"a grant": func(c *Client) error {
			return c.Grant(t.Context(), "svc@tf", Permission{"INFRA", "vpc", "REPO_ADMIN"})
		},
		"a good answer to strangers": func(*Client) error {
			s := newScript(t, says(200, noValues, "X-AUSERNAME", "anonymous"))
			_, err := client(t, s.url).SSHKeys(t.Context(), "svc")
			return err
		},
	} {
		if err := read(w.client); err == nil || !strings.Contains(err.Error(), "drops the Authorization header") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An account that was not used is not talked about.
func TestARefusalWithoutAnAccountSaysNothingOfIt(t *testing.T) {
	for name, refusal := range map[string]http.HandlerFunc{
		"Bitbucket": says(401, `{"errors":[{"message":"You are not permitted","exceptionName":"com.atlassian.bitbucket.AuthorisationException"}]}`),
		"bare":      says(401, ""),
		"403":       says(403, `{"message":"no"}`),
		"a page":    says(401, page200, "Content-Type", "text/html"),
	} {
		c := client(t, newScript(t, refusal).url)
		for what, read := range map[string]func() error{
			"version":  func() error { _, err := c.Properties(t.Context()); return err },
			"status":   func() error { _, err := c.Status(t.Context()); return err },
			"manifest": func() error { _, err := c.Manifest(t.Context()); return err },
		} {
			err := read()
			if err == nil {
				t.Errorf("%s, %s: no error", name, what)
				continue
			}
			for _, word := range []string{`"admin"`, "password", "ADMIN", "give ", "Basic"} {
				if strings.Contains(err.Error(), word) {
					t.Errorf("%s, %s: %q in: %v", name, what, word, err)
				}
			}
			if !strings.Contains(err.Error(), "in front of") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}
