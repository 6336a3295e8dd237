package bitbucketd_test

import (
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const (
	basicConfig = "/rest/basicauth/latest/config"
	disabled    = "Basic Authentication has been disabled on this instance."
)

// blocked switches Basic authentication off for all but these.
func (w *world) blocked(users, paths []string) {
	w.t.Helper()
	w.must(w.Configure(func(s *bitbucketd.Settings) {
		s.BasicAuth = bitbucketd.BasicAuth{Block: true, AllowedUsers: users, AllowedPaths: paths}
	}))
}

// An allow-list is compared exactly, wildcards apart.
func TestBasicAllowList(t *testing.T) {
	for _, tt := range []struct {
		name, user, path string // entries of the list
		who, call        string
		status           int
	}{
		{"nobody", "", "", ann, "/rest/ssh/1.0/keys", 403},
		{"user", "ann", "", ann, "/rest/ssh/1.0/keys", 200},
		{"case of a user", "Ann", "", ann, "/rest/ssh/1.0/keys", 403},
		{"other spelling by the caller", "ann", "", "Ann:ann-pw", "/rest/ssh/1.0/keys", 403},
		{"wildcard", "a?n", "", ann, "/rest/ssh/1.0/keys", 200},
		{"wildcard of another", "svc*", "", ann, "/rest/ssh/1.0/keys", 403},
		{"path", "", "/rest/ssh/1.0/keys", ann, "/rest/ssh/1.0/keys", 200},
		{"path with slash", "", "/rest/ssh/1.0/keys/", ann, "/rest/ssh/1.0/keys", 200},
		{"path without slash", "", "rest/ssh/1.0/keys", ann, "/rest/ssh/1.0/keys", 200},
		{"path above", "", "/rest/ssh", ann, "/rest/ssh/1.0/keys", 403},
		{"all below", "", "/rest/ssh/*", ann, "/rest/ssh/1.0/keys", 200},
		{"all below, not itself", "", "/rest/ssh/1.0/keys/*", ann, "/rest/ssh/1.0/keys", 403},
		{"anywhere", "", "*/keys", ann, "/rest/ssh/1.0/keys", 200},
		{"case of a path", "", "/REST/ssh/*", ann, "/rest/ssh/1.0/keys", 403},
		{"pages too", "", "/rest/*", ann, "/plugins/servlet/applinks/whoami", 403},
	} {
		w := newWorld(t, bitbucketd.Options{})
		w.blocked([]string{tt.user}, []string{tt.path})
		if a := w.as(tt.who, "GET", tt.call, ""); a.status != tt.status {
			t.Errorf("%s: have %d %s, want %d", tt.name, a.status, a.body, tt.status)
		}
	}
}

// The refusal has the caller's media type, no challenge and no user name, and a
// password that is never checked locks nobody out.
func TestBasicSwitchedOff(t *testing.T) {
	old := newWorld(t, bitbucketd.Options{Version: "7.11.2", Basic: bitbucketd.Off})
	old.want(old.as(ann, "GET", api+"/users", ""), 200)

	w := newWorld(t, bitbucketd.Options{Basic: bitbucketd.Off})
	const page = "/plugins/servlet/applinks/whoami" // nothing holds it against a document
	for _, tt := range []struct{ accept, sent, media, body string }{
		{"application/json", "", "application/json;charset=UTF-8", `{"message":"` + disabled + `"}`},
		{"*/*", "", "application/json;charset=UTF-8", `{"message":"` + disabled + `"}`},
		{"text/*;q=0.2, application/xml", "", "application/xml;charset=UTF-8", "<warning>\n    <message>" + disabled + "</message>"},
		{"application/xml;q=0.1, text/plain", "", "text/plain;charset=UTF-8", disabled},
		{"image/png", "text/plain", "text/plain;charset=UTF-8", disabled},
		{"image/png", "", "application/json;charset=UTF-8", `{"message"`},
	} {
		a := w.want(w.as(ann, "GET", page, "", "Accept", tt.accept, "Content-Type", tt.sent), 403, tt.body)
		if a.header.Get("Content-Type") != tt.media || a.header.Get("WWW-Authenticate") != "" || a.header.Get("X-AUSERNAME") != "" {
			t.Errorf("Accept %s: %v", tt.accept, a.header)
		}
	}
	for range 9 {
		w.want(w.as("ann:wrong", "GET", api+"/users", ""), 403)
	}
	w.want(w.as("basic !", "GET", api+"/users", ""), 403)
	w.want(w.as("", "GET", api+"/application-properties", ""), 200)
	w.blocked([]string{"*"}, nil)
	w.want(w.as(ann, "GET", api+"/users", ""), 200)
}

func TestBasicConfig(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	const all = `{"block-requests":true,"allowed-users":["root"],"allowed-paths":["rest/ssh/*"],"show-warning-message":false}`
	w.table([]row{
		{"anonymous", "", "GET " + basicConfig, "", 401, "Client must be authenticated as a system administrator", nil},
		{"administrator", admin, "GET " + basicConfig, "", 401, "Client must be authenticated as a system administrator", nil},
		{"system administrator", root, "GET " + basicConfig, "", 200, `{"block-requests":false,"allowed-users":[],"allowed-paths":[],"show-warning-message":true}`, nil},
		{"administrator writes", admin, "PUT " + basicConfig, all, 401, "", nil},
		{"a list is missing", root, "PUT " + basicConfig, `{"block-requests":true,"allowed-users":["root"]}`, 500, "", nil},
		{"all four", root, "PUT " + basicConfig, all, 204, "", nil},
		{"counts at once", ann, "GET " + api + "/users", "", 403, disabled, nil},
		{"read back", root, "GET " + basicConfig, "", 200, all, nil},
	})
}
