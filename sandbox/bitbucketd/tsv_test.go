package bitbucketd_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const tsv = "/rest/tsv/latest"

// off is a server as a new one is: no Basic authentication.
var off = bitbucketd.Options{Version: "10.4.2", Basic: bitbucketd.Off}

// client has a cookie jar and sends JSON.
func (b *browser) call(method, path, body string) answer {
	b.t.Helper()
	w := *b.world
	w.http = b.http
	return w.as("", method, path, body)
}

// authenticate sends a user name and a password.
func (b *browser) authenticate(user, password string) answer {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"username": user, "password": password, "rememberMe": false, "targetUrl": ""})
	b.must(err)
	return b.call("POST", tsv+"/authenticate", string(body))
}

// who returns the caller's name as the server says it.
func (b *browser) who() string {
	b.t.Helper()
	return b.call("GET", api+"/application-properties", "").header.Get("X-AUSERNAME")
}

func TestLoginOverTSV(t *testing.T) {
	w := newWorld(t, off)
	b := w.browser()
	b.want(b.authenticate("admin", "wrong"), 401, `{"captchaRequired":false,"message":"`)
	if have := b.who(); have != "" {
		t.Errorf("logged in as %s", have)
	}
	b.want(b.call("GET", tsv+"/sso-management-status", ""), 401, `{"message":"`)
	b.want(b.authenticate("guest", "guest-pw"), 401) // no licence
	b.want(b.authenticate("admin", "admin-pw"), 200, `{"next":"/"}`)
	if have := b.who(); have != "admin" {
		t.Errorf("logged in as %q", have)
	}
	b.want(b.call("GET", tsv+"/sso-management-status", ""), 200, `{"isManaged":false}`)
	b.want(b.call("GET", tsv+"/status", ""), 200, `{"methods":[{"type":"TOTP","enabled":false}],"twoSVActive":false}`)
	b.want(b.get(w.url+"/j_atl_security_logout"), 302)
	if have := b.who(); have != "" {
		t.Errorf("after logging out: %s", have)
	}
}

// An idle session ends, one that is used does not; who is remembered gets a new one.
func TestSessionsEnd(t *testing.T) {
	for _, remember := range []string{"false", "true"} {
		w := newWorld(t, off)
		b := w.browser()
		b.want(b.call("POST", tsv+"/authenticate", `{"username":"ann","password":"ann-pw","rememberMe":`+remember+`}`), 200)
		for range 3 {
			w.now.advance(20 * time.Minute)
			if b.who() != "ann" {
				t.Error("a session that is used has ended")
			}
		}
		w.now.advance(31 * time.Minute)
		if have := b.who() == "ann"; have != (remember == "true") {
			t.Errorf("remember %s: still logged in: %t", remember, have)
		}
	}
}

func TestCaptchaAtLogin(t *testing.T) {
	w := newWorld(t, off)
	b := w.browser()
	for range 4 {
		b.want(b.authenticate("ann", "wrong"), 401, `"captchaRequired":false`)
	}
	b.want(b.authenticate("ann", "wrong"), 401, `"captchaRequired":true`)
	b.want(b.authenticate("ann", "ann-pw"), 401, `"captchaRequired":true`)
	b.want(b.call("GET", tsv+"/authenticate/captcha", ""), 200, `"captchaImageUrl":"`)
}

func TestSecondFactor(t *testing.T) {
	w := newWorld(t, off)
	f, err := w.Enroll("admin", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	w.must(err)
	code := func() string {
		t.Helper()
		text, err := bitbucketd.TOTP(f.Secret, w.now.Now())
		w.must(err)
		return text
	}
	talk := func(b *browser) string {
		t.Helper()
		a := b.want(b.authenticate("admin", "admin-pw"), 412, `"nextLoginStep":"TOTP_CODE_VERIFICATION"`)
		return into[struct{ ConversationID string }](w, a).ConversationID
	}
	give := func(b *browser, id, code string) answer {
		t.Helper()
		return b.call("POST", tsv+"/authenticate/totp-code", `{"conversationId":"`+id+`","totpCode":"`+code+`"}`)
	}
	b := w.browser()
	id := talk(b)
	b.want(give(b, "nobody's", code()), 400, `{"message":"`)
	b.want(give(b, id, "000000"), 401, `{"message":"`)
	if b.who() != "" {
		t.Error("logged in without a code")
	}
	b.want(give(b, id, code()), 204)
	if b.who() != "admin" {
		t.Error("not logged in")
	}
	b.want(give(b, id, code()), 400) // the conversation is over
	b.want(b.call("GET", tsv+"/status", ""), 200, `"enabled":true,"enabledAt":`, `"twoSVActive":true`)

	other := w.browser()
	id = talk(other)
	other.want(give(other, id, code()), 401) // each code once
	w.now.advance(30 * time.Second)
	other.want(give(other, id, code()), 204)
	id = talk(other)
	w.now.advance(6 * time.Minute)
	other.want(give(other, id, code()), 400)

	id = talk(other)
	recovery := `{"conversationId":"` + id + `","recoveryCode":"` + f.Recovery + `"}`
	other.want(other.call("POST", tsv+"/authenticate/recovery-code", recovery), 200, `"next"`)
	recovery = strings.Replace(recovery, id, talk(other), 1)
	other.want(other.call("POST", tsv+"/authenticate/recovery-code", recovery), 401)

	w.must(w.Configure(func(s *bitbucketd.Settings) { s.EnforceSecondFactor = true }))
	other.want(other.authenticate("ann", "ann-pw"), 412, `"nextLoginStep":"ENROLLMENT"`)
}

// RFC 6238, appendix B: the last six of its eight digits.
func TestTOTPVectors(t *testing.T) {
	for seconds, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if have, err := bitbucketd.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", time.Unix(seconds, 0)); err != nil || have != want {
			t.Errorf("%d: have %s, %v, want %s", seconds, have, err, want)
		}
	}
}

// How a client finds out which login a server wants.
func TestWhichLogin(t *testing.T) {
	for _, tt := range []struct {
		version string
		form    bitbucketd.Switch
		sso     bool
		tsv     int
		field   bool
		options string
		cookie  string
	}{
		{"4.9.1", bitbucketd.Default, false, 404, true, "", "JSESSIONID"},
		{"8.19.0", bitbucketd.Default, false, 404, true, "", "BITBUCKETSESSIONID"},
		{"9.4.0", bitbucketd.Default, false, 401, true, `"type":"LEGACY_LOGIN_FORM"`, "BITBUCKETSESSIONID"},
		{"10.4.2", bitbucketd.Default, false, 401, false, `"type":"LOGIN_FORM"`, ""},
		{"10.4.2", bitbucketd.On, false, 401, true, `"type":"LEGACY_LOGIN_FORM"`, "BITBUCKETSESSIONID"},
		{"10.4.2", bitbucketd.Default, true, 401, false, `"type":"IDP"`, ""},
	} {
		w := newWorld(t, bitbucketd.Options{Version: tt.version, LoginForm: tt.form, SSO: tt.sso})
		b := w.browser()
		a := b.want(b.call("GET", tsv+"/sso-management-status", ""), tt.tsv)
		if tt.tsv == 404 && strings.Contains(a.body, "errors") {
			t.Errorf("%s: %s", tt.version, a.body)
		}
		if have := strings.Contains(b.get(w.url+"/login").body, "j_username"); have != tt.field {
			t.Errorf("%s: form %t", tt.version, have)
		}
		if a := b.call("GET", "/rest/authconfig/latest/login-options", ""); !strings.Contains(a.body, tt.options) {
			t.Errorf("%s: %s", tt.version, a.body)
		}
		a = b.send("POST", w.url+"/login", map[string][]string{"j_username": {"ann"}, "j_password": {"ann-pw"}, "_atl_remember_me": {"on"}})
		cookies := strings.Join(a.header.Values("Set-Cookie"), "\n")
		if have := strings.Contains(cookies, tt.cookie+"=") && strings.Contains(cookies, "_atl_bitbucket_remember_me="); have != (tt.cookie != "") {
			t.Errorf("%s: %d %s", tt.version, a.status, cookies)
		}
		if tt.sso {
			b.want(b.authenticate("ann", "ann-pw"), 401)
		}
	}
}

// A session is unknown on another node; the load balancer keeps a client on its own.
func TestStickySessions(t *testing.T) {
	opts := off
	opts.Nodes = 2
	w := newWorld(t, opts)
	b := w.browser()
	b.want(b.authenticate("root", "root-pw"), 200)
	for range 4 {
		if b.who() != "root" {
			t.Error("the session is lost")
		}
	}
	var session string
	for _, cookie := range b.http.Jar.Cookies(mustURL(t, w.url)) {
		if cookie.Name == "BITBUCKETSESSIONID" {
			session = cookie.String()
		}
	}
	known := 0
	for range 4 { // without the load balancer's cookie
		if w.as("", "GET", api+"/application-properties", "", "Cookie", session).header.Get("X-AUSERNAME") == "root" {
			known++
		}
	}
	if known != 2 {
		t.Errorf("known on %d of 4 requests", known)
	}

	// The other node reads the settings of Basic authentication once a minute.
	w.as(ann, "GET", "/status", "")
	w.as(ann, "GET", "/status", "")
	const open = `{"block-requests":false,"allowed-users":[],"allowed-paths":[],"show-warning-message":true}`
	b.want(b.call("PUT", basicConfig, open), 204)
	statuses := map[int]int{}
	for range 4 {
		statuses[w.as(ann, "GET", "/status", "").status]++
	}
	if statuses[http.StatusOK] != 2 || statuses[http.StatusForbidden] != 2 {
		t.Errorf("after the change: %v", statuses)
	}
	w.now.advance(time.Minute)
	w.want(w.as(ann, "GET", "/status", ""), 200)
	w.want(w.as(ann, "GET", "/status", ""), 200)
}
