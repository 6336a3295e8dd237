package bitbucketd_test

import (
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

func TestXSRF(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	const (
		browser = "Mozilla/5.0 (X11; Linux x86_64)"
		user    = "POST " + api + "/admin/users?name=x&displayName=x&emailAddress=x&password=x"
		group   = "POST " + api + "/admin/groups?name="
		none    = ""
	)
	w.table([]row{
		{"empty post", admin, user, none, 403, "XSRF check failed", []string{"X-Atlassian-Token", none}},
		{"form", admin, user, none, 403, "XSRF check failed", []string{"X-Atlassian-Token", none, "Content-Type", "application/x-www-form-urlencoded"}},
		{"text", admin, user, none, 403, "XSRF check failed", []string{"X-Atlassian-Token", none, "Content-Type", "text/plain"}},
		{"other value", admin, user, none, 403, "XSRF check failed", []string{"X-Atlassian-Token", "no"}},
		{"legacy spelling", admin, group + "a", none, 200, "", []string{"X-Atlassian-Token", "nocheck"}},
		{"json", admin, group + "b", "{}", 200, "", []string{"X-Atlassian-Token", none}},
		{"put", admin, "PUT " + vpc + "/permissions/users?name=ann&permission=REPO_READ", none, 204, "", []string{"X-Atlassian-Token", none}},
		{"delete", admin, "DELETE " + vpc + "/permissions/users?name=ann", none, 204, "", []string{"X-Atlassian-Token", none}},
		{"browser from nowhere", admin, group + "c", "{}", 403, "XSRF check failed", []string{"User-Agent", browser}},
		{"browser from elsewhere", admin, group + "c", "{}", 403, "XSRF check failed", []string{"User-Agent", browser, "Origin", "https://evil.example"}},
		{"browser on a page of its own", admin, group + "c", "{}", 200, "", []string{"User-Agent", browser, "Referer", w.url + "/admin"}},
		{"extension", admin, group + "d", "{}", 200, "", []string{"User-Agent", browser, "Origin", "chrome-extension://abc"}},
		{"browser puts", admin, "PUT " + vpc + "/permissions/users?name=ann&permission=REPO_READ", none, 204, "", []string{"User-Agent", browser}},
	})
}

// Whether 9 and newer refuse such a POST is not known: both are there.
func TestNoXSRFCheck(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{NoXSRFCheck: true})
	w.table([]row{{"empty post", admin, "POST " + api + "/admin/groups?name=a", "", 200, "", []string{"X-Atlassian-Token", ""}}})
}

// Consumers without a link are listed, and deleted by their key.
func TestOrphanedTrust(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.linked()
	const orphans = "/rest/applinks/latest/orphaned-trust"
	w.want(w.as(admin, "GET", orphans, ""), 200, `{"orphanedTrust":[]}`)
	w.must(w.Change("orphan", func(st *bitbucketd.State) error {
		st.Consumers["lost"] = &bitbucketd.Consumer{Key: "lost", Name: "lost", PublicKey: st.Consumers["k"].PublicKey}
		return nil
	}))
	w.table([]row{
		{"list", admin, "GET " + orphans, "", 200, `{"orphanedTrust":[{"id":"lost","type":"OAUTH"}]}`, nil},
		{"nobody", ann, "GET " + orphans, "", 401, "", nil},
		{"type", admin, "DELETE " + orphans + "/NONE/lost", "", 400, "", nil},
		{"delete", admin, "DELETE " + orphans + "/OAUTH/lost", "", 200, "Deleted certificate with id: lost", nil},
		{"gone", admin, "GET " + orphans, "", 200, `{"orphanedTrust":[]}`, nil},
		{"property", admin, "GET /rest/applinks/3.0/applinks?property=oauth.incoming.consumerkey&property=x", "", 200, `"properties":{"oauth.incoming.consumerkey":"k","x":null}`, nil},
		{"no property", admin, "GET /rest/applinks/3.0/applinks", "", 200, `"properties":{}`, nil},
	})
}
