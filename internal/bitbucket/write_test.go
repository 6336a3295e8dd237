package bitbucket

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/front"
)

// A write is one operation of the client that changes something on Bitbucket.
type write struct {
	do func(t *testing.T, c *Client) error
	ok http.HandlerFunc // the documented answer
}

const (
	pluginOff  = `{"key":"` + WebhookPluginKey + `","name":"n","version":"1","enabled":false}`
	pluginOn   = `{"key":"` + WebhookPluginKey + `","name":"n","version":"1","enabled":true}`
	hookOff    = `{"details":{"key":"` + WebhookHookKey + `","name":"n"},"enabled":false}`
	hookOn     = `{"details":{"key":"` + WebhookHookKey + `","name":"n"},"enabled":true}`
	noValues   = `{"isLastPage":true,"values":[]}`
	updated    = `{"status-code":200,"resources-updated":[{"href":"` + orgID + `","rel":"self"}]}`
	consumerOK = `{"status-code":201,"resources-created":[{"href":"applicationlink/` + orgID + `/authentication/consumer","rel":"self"}]}`
	requestOK  = "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true"
)

// writes returns every write of the client, by name.
func writes(t *testing.T) map[string]write {
	t.Helper()
	line, pair := sshPair(t).Public, consumerPair(t)
	link := Link{ID: orgID, Name: "tf", URL: orgURL, DisplayURL: orgURL, Type: "generic"}
	return map[string]write{
		"CreateLink": {func(t *testing.T, c *Client) error {
			_, err := c.CreateLink(t.Context(), "new", "https://app.terraform.io/app/other")
			return err
		}, says(201, `{"status-code":201,"resources-created":[{"href":"https://bb.example/rest/applinks/3.0/applicationlink/`+orgID+`","rel":"self"}]}`)},
		"RenameLink": {func(t *testing.T, c *Client) error { return c.RenameLink(t.Context(), link, "new") }, says(200, updated)},
		"DeleteLink": {
			func(t *testing.T, c *Client) error { return c.DeleteLink(t.Context(), orgID) },
			says(200, string(fixture(t, "applinks_delete_200.json"))),
		},
		"SetConsumer": {func(t *testing.T, c *Client) error {
			return c.SetConsumer(t.Context(), orgID, Consumer{Key: "k", Name: "n", PublicKey: pair.Public})
		}, says(201, consumerOK)},
		"AddSSHKey": {func(t *testing.T, c *Client) error {
			_, err := c.AddSSHKey(t.Context(), "svc", line, "l", 0)
			return err
		}, says(201, `{"id":8,"text":"`+line+`","label":"l"}`)},
		"DeleteSSHKey": {func(t *testing.T, c *Client) error { return c.DeleteSSHKey(t.Context(), "svc", 7) }, says(204, "")},
		"Grant": {func(t *testing.T, c *Client) error {
			return c.Grant(t.Context(), "svc", Permission{"INFRA", "vpc", "REPO_ADMIN"})
		}, says(204, "")},
		"EnablePlugin": {func(t *testing.T, c *Client) error { return c.EnablePlugin(t.Context(), WebhookPluginKey) }, says(200, pluginOn)},
		"InstallPlugin": {
			func(t *testing.T, c *Client) error { return c.InstallPlugin(t.Context(), "https://a.example/x.jar") },
			says(202, `{"status":{"done":true},"links":{"self":"/rest/plugins/1.0/pending/1"}}`),
		},
		"EnableHook": {func(t *testing.T, c *Client) error { return c.EnableHook(t.Context(), "INFRA", "vpc", WebhookHookKey) }, says(200, hookOn)},
		"ProveConsumer": {
			func(t *testing.T, c *Client) error { return c.ProveConsumer(t.Context(), "k", pair.Private) },
			says(200, requestOK, "Content-Type", "text/plain"),
		},
	}
}

// unchanged is a server on which no write takes effect: it answers each with
// answer, and reads as if it had not come. key is a user's.
func unchanged(t *testing.T, answer http.HandlerFunc, key string) *Client {
	t.Helper()
	reads := []struct{ path, body string }{
		{"/rest/applinks/3.0/applinks/" + orgID, strings.Replace(orgLink, "typeId", "type", 1)},
		{"/rest/applinks/3.0/applicationlink/" + orgID, orgLink},
		{"/rest/applinks/3.0/applinks", "[" + orgLink + "]"},
		{"/authentication/consumer", string(fixture(t, "applinks_oauth_consumer_get_200.json"))},
		{"/rest/ssh/1.0/keys", `{"isLastPage":true,"values":[{"id":7,"text":"` + key + `"}]}`},
		{"/rest/api/1.0/users", noValues},
		{"/rest/plugins/1.0/" + WebhookPluginKey + "-key", pluginOff},
		{"/rest/plugins/1.0/", "{}"},
		{"/settings/hooks/", hookOff},
	}
	s := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			answer(w, r)
			return
		}
		for _, read := range reads {
			if strings.Contains(r.URL.Path, read.path) {
				says(200, read.body, "Upm-Token", "u")(w, r)
				return
			}
		}
		says(404, `{"message":"HTTP 404 Not Found","status-code":404,"sub-code":-1}`)(w, r)
	})
	return client(t, s.url)
}

// A write succeeded only if its answer has the documented shape: neither a page
// of a firewall or a login with a good status, nor another system's JSON is one.
func TestWritesTakeOnlyTheDocumentedAnswer(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"a page with 200":            says(200, page200, "Content-Type", "text/html"),
		"a page with 201":            says(201, page200, "Content-Type", "text/html"),
		"another object":             says(200, `{"ok":true}`),
		"another object, created":    says(201, `{"id":1}`),
		"a list":                     says(200, `[]`),
		"a text":                     says(200, `"ok"`),
		"null":                       says(200, `null`),
		"nothing with 200":           says(200, ""),
		"accepted for later":         says(202, ""),
		"a failure inside of a 200":  says(200, `{"status-code":500,"message":"no"}`),
		"a login":                    says(302, "", "Location", "https://sso.example/login"),
		"a page with 404":            says(404, page200, "Content-Type", "text/html"),
		"no such path, 10.4":         says(404, `{"message":"HTTP 404 Not Found","status-code":404,"sub-code":-1}`),
		"no such path, 10.2":         says(404, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><status><status-code>404</status-code><message>HTTP 404 Not Found</message></status>`),
		"no such path, 5":            says(404, `{"message":"null for uri: http://bb/rest/x","status-code":404}`),
		"no such path of a gateway":  says(404, `{"message":"no Route matched with those values"}`),
		"nothing with 404":           says(404, ""),
		"nothing with 204":           says(204, ""),
		"confirmed without a change": nil, // the write's own documented answer
	}
	key := sshPair(t).Public
	for name, w := range writes(t) {
		for shape, answer := range answers {
			documented := name == "DeleteSSHKey" || name == "Grant"
			switch {
			case shape == "nothing with 204" && documented:
				continue
			case answer == nil && (name == "DeleteLink" || name == "DeleteSSHKey"):
				answer = w.ok // a deletion is read again whatever was answered
			case answer == nil:
				continue
			}
			t.Run(name+"/"+shape, func(t *testing.T) {
				if err := w.do(t, unchanged(t, answer, key)); err == nil {
					t.Error("success, and nothing was done")
				}
			})
		}
	}
}

// What became of a write is settled by reading, when no answer to one ever comes.
func TestWritesWithoutAnAnswerAreSettledByReading(t *testing.T) {
	pair, consumer := sshPair(t), consumerPair(t)
	w := quickWorld(t)
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete} {
		must(t, w.front.Order(front.Fault{Kind: front.LoseAnswer, Method: method, Times: -1}))
	}
	everyWrite(t, w, pair.Public, consumer.Public)
}
