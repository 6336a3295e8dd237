package bitbucketd_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// asked reports whether an answer asks for WebSudo.
func asked(a answer) bool {
	return a.status == 401 && strings.Contains(a.body, "This resource requires WebSudo.")
}

// confirm fills the form that asks for the password again.
func (b *browser) confirm(user, password string) answer {
	b.t.Helper()
	page := b.want(b.get(b.url+"/websudo"), 200, `id="websudo-container"`)
	action, fields := fill(b.t, page.body)
	fields.Set("j_username", user)
	fields.Set("j_password", password)
	return b.send("POST", action, fields)
}

// admins log in.
func (w *world) admins() *browser {
	w.t.Helper()
	b := w.browser()
	b.want(b.authenticate("root", "root-pw"), 200)
	return b
}

func TestWhatWebSudoGuards(t *testing.T) {
	const consumer = "/rest/applinks-oauth/1.0/applicationlink/" + orgID + "/authentication/consumer"
	guarded := map[string]bool{
		"GET /rest/applinks/latest/applicationlink":        true,
		"GET /rest/applinks/3.0/applicationlink/" + orgID:  true,
		"PUT /rest/applinks/3.0/applicationlink":           true,
		"POST /rest/applinks/3.0/applicationlink/" + orgID: true,
		"GET /rest/applinks/latest/orphaned-trust":         true,
		"GET " + consumer:                                    true,
		"PUT " + consumer:                                    true,
		"GET " + api + "/admin/users":                        true,
		"PUT " + api + "/admin/permissions/users?name=ann":   true,
		"GET /rest/applinks/3.0/applinks":                    false,
		"GET /rest/applinks/3.0/applinks/" + orgID:           false,
		"GET /rest/applinks/1.0/listApplicationlinks":        false,
		"GET " + basicConfig:                                 false,
		"GET " + vpc + "/permissions/users":                  false,
		"GET " + sshKeys + "?user=ann":                       false,
		"DELETE /rest/applinks/3.0/applicationlink/" + orgID: false,
	}
	for _, version := range []string{"8.19.0", "10.4.2"} {
		w := newWorld(t, bitbucketd.Options{Version: version})
		b := w.browser()
		if version == "8.19.0" {
			b.login(w.url+"/", "root", "root-pw")
		} else {
			b = w.admins()
		}
		w.linked()
		for call, want := range guarded {
			if method, path, _ := strings.Cut(call, " "); method != "DELETE" {
				if a := b.call(method, path, "{}"); asked(a) != (want && version == "10.4.2") {
					t.Errorf("%s: %s: %d %s", version, call, a.status, a.body)
				}
			}
		}
		plugins := b.call("GET", "/rest/plugins/1.0/", "")
		if have := plugins.status == 401 && strings.Contains(plugins.body, "upm.websudo.error"); have != (version == "10.4.2") {
			t.Errorf("%s: plugins: %d %s", version, plugins.status, plugins.body)
		}
		b.want(b.call("DELETE", "/rest/applinks/3.0/applicationlink/"+orgID, ""), 200)
	}
}

const guardedPath = "/rest/applinks/latest/applicationlink"

func TestElevation(t *testing.T) {
	w := newWorld(t, off)
	b := w.admins()
	a := b.want(b.call("GET", guardedPath, ""), 401, `{"status-code":401,"message":"This resource requires WebSudo."}`)
	if a.header.Get("X-AUSERNAME") != "root" || a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("headers %v", a.header)
	}
	b.want(b.call("GET", tsv+"/elevate-permissions", ""), 401, `{"elevationMethods":["PASSWORD"]}`)
	b.want(b.confirm("root", "wrong"), 200, `role="alert"`)
	b.want(b.confirm("admin", "admin-pw"), 200, `role="alert"`) // not the session's user
	if !asked(b.call("GET", guardedPath, "")) {
		t.Error("elevated by a wrong password")
	}
	b.want(b.confirm("root", "root-pw"), 302)
	b.want(b.call("GET", guardedPath, ""), 200)
	b.want(b.call("GET", tsv+"/elevate-permissions", ""), 204)
	w.now.advance(9 * time.Minute)
	b.want(b.call("GET", guardedPath, ""), 200) // which does not prolong it
	w.now.advance(time.Minute)
	if !asked(b.call("GET", guardedPath, "")) || b.who() != "root" {
		t.Error("still elevated, or logged out")
	}
	b.want(b.call("POST", tsv+"/elevate-permissions/totp", `{"totpCode":"1"}`), 400)
	b.want(b.call("POST", tsv+"/elevate-permissions/password", `{"password":"wrong"}`), 400)
	b.want(b.call("POST", tsv+"/elevate-permissions/password", `{"password":"root-pw"}`), 204)
	b.want(b.call("GET", guardedPath, ""), 200)
	w.browser().want(w.as("", "POST", tsv+"/elevate-permissions/password", `{"password":"root-pw"}`), 403)
	fields := url.Values{"atl_token": {"guess"}, "j_username": {"root"}, "j_password": {"root-pw"}}
	b.want(b.send("POST", w.url+"/websudo", fields), 403)
	w.want(w.as("", "GET", "/websudo", ""), 302)
}

// With a second factor, that is what elevates, unless it opens nothing but its own
// settings.
func TestElevationBySecondFactor(t *testing.T) {
	for _, settingsOnly := range []bool{false, true} {
		opts := off
		opts.ElevateSettingsOnly = settingsOnly
		w := newWorld(t, opts)
		b := w.admins()
		f, err := w.Enroll("root", "")
		w.must(err)
		code, err := bitbucketd.TOTP(f.Secret, w.now.Now())
		w.must(err)
		b.want(b.call("POST", tsv+"/elevate-permissions/password", `{"password":"root-pw"}`), 400)
		b.want(b.call("POST", tsv+"/elevate-permissions/totp", `{"totpCode":"`+code+`"}`), 204)
		if asked(b.call("GET", guardedPath, "")) != settingsOnly {
			t.Errorf("settings only: %t, the code does the other", settingsOnly)
		}
		status := 200
		if settingsOnly {
			status = 302
		}
		b.want(b.confirm("root", "root-pw"), status)
		b.want(b.call("GET", guardedPath, ""), 200)
		b.want(b.call("POST", tsv+"/elevate-permissions/recovery-code", `{"recoveryCode":"`+f.Recovery+`"}`), 200, `"recoveryCode":"`)
		b.want(b.call("POST", tsv+"/elevate-permissions/recovery-code", `{"recoveryCode":"`+f.Recovery+`"}`), 400)
	}
}

func TestWithoutWebSudo(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{Version: "10.4.2", WebSudo: bitbucketd.Off})
	b := w.admins()
	b.want(b.call("GET", guardedPath, ""), 200)
	b.want(b.get(w.url+"/websudo"), 404)

	w = newWorld(t, bitbucketd.Options{Version: "10.4.2", Basic: bitbucketd.On, AdminWithoutWebSudo: true})
	b = w.admins()
	b.want(b.call("GET", api+"/admin/users", ""), 200)
	w.want(w.as(root, "GET", guardedPath, ""), 200) // Basic
	req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+guardedPath, nil)
	w.must(err)
	req.SetBasicAuth("root", "root-pw")
	req.Header.Set("Authorization", strings.Replace(req.Header.Get("Authorization"), "Basic", "basic", 1))
	req.Header.Set("Accept", "application/json")
	if a := w.do(req); !asked(a) {
		t.Errorf("a scheme in small letters: %d %s", a.status, a.body)
	}
}

// A guarded resource may ask even those for WebSudo who are not logged in.
func TestWebSudoBeforeRights(t *testing.T) {
	for _, first := range []bool{false, true} {
		opts := off
		opts.WebSudoFirst = first
		w := newWorld(t, opts)
		for _, path := range []string{guardedPath, api + "/admin/users"} {
			a := w.as("", "GET", path, "")
			if asked(a) != first || a.status != 401 || a.header.Get("X-AUSERNAME") != "" {
				t.Errorf("first %t: %s: %d %s", first, path, a.status, a.body)
			}
		}
	}
}

// Calls signed with an access token are their user's, with Basic switched off too.
func TestSignedCallsOfAnAdministrator(t *testing.T) {
	for _, tt := range []struct {
		sudo, links  bool
		list, listV3 int
		admin        int
	}{
		{false, false, 200, 200, 200},
		{true, false, 401, 200, 401},
		{false, true, 401, 403, 200},
	} {
		w := newWorld(t, bitbucketd.Options{Basic: bitbucketd.Off, SignedNeedsWebSudo: tt.sudo, SignedNotOnLinks: tt.links})
		config := w.linked()
		token := w.dance(config, "root", "root-pw")
		w.want(w.signed(config, token, "GET", guardedPath, ""), tt.list)
		w.want(w.signed(config, token, "GET", "/rest/applinks/3.0/applinks", ""), tt.listV3)
		w.want(w.signed(config, token, "GET", api+"/admin/users", ""), tt.admin)
		w.want(w.signed(config, token, "GET", sshKeys+"?user=ann", ""), 200)
	}
}
