package bitbucketd_test

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const callback = "https://terraform.example/auth/1/callback"

// terraform is the side that holds the consumer's private key.
func (w *world) terraform(key string, private *rsa.PrivateKey) *oauth1.Config {
	return &oauth1.Config{
		ConsumerKey: key, CallbackURL: callback, Signer: &oauth1.RSASigner{PrivateKey: private}, HTTPClient: w.http,
		Endpoint: oauth1.Endpoint{
			RequestTokenURL: w.url + "/plugins/servlet/oauth/request-token",
			AuthorizeURL:    w.url + "/plugins/servlet/oauth/authorize", AccessTokenURL: w.url + "/plugins/servlet/oauth/access-token",
		},
	}
}

// linked makes a link with a consumer "k" and returns Terraform's side of it.
func (w *world) linked() *oauth1.Config {
	w.t.Helper()
	private, public := consumerPair(w.t, 0)
	id, err := w.AddLink(bitbucketd.Link{Name: "Terraform <my-org>", RPCURL: orgURL})
	w.must(err)
	w.must(w.SetConsumer(id, bitbucketd.Consumer{Key: "k", Name: "Terraform <my-org>", PublicKey: public}))
	return w.terraform("k", private)
}

// browser follows no redirect by itself, and keeps cookies.
type browser struct {
	*world
	http *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	c := *w.http
	c.Jar = jar
	return &browser{w, &c}
}

func (b *browser) get(to string) answer { return b.send("GET", to, nil) }

func (b *browser) send(method, to string, form url.Values) answer {
	b.t.Helper()
	base := mustURL(b.t, b.url)
	req, err := http.NewRequestWithContext(b.t.Context(), method, base.ResolveReference(mustURL(b.t, to)).String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := *b.world
	w.http = b.http
	return w.do(req)
}

// fill returns the action and the hidden fields of the form on a page.
func fill(t *testing.T, page string) (action string, fields url.Values) {
	t.Helper()
	fields = url.Values{}
	m := regexp.MustCompile(`<form[^>]* action="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form: %s", page)
	}
	for _, f := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		fields.Set(f[1], strings.ReplaceAll(f[2], "&amp;", "&"))
	}
	return m[1], fields
}

// login opens a page that needs a person, and logs in on the way.
func (b *browser) login(to, user, password string) answer {
	b.t.Helper()
	a := b.want(b.get(to), 302)
	a = b.want(b.get(a.header.Get("Location")), 200, "j_username")
	action, fields := fill(b.t, a.body)
	fields.Set("j_username", user)
	fields.Set("j_password", password)
	fields.Set("submit", "Log in")
	a = b.want(b.send("POST", action, fields), 302)
	return b.get(a.header.Get("Location"))
}

// consent answers the Allow page.
func (b *browser) consent(page, button string) answer {
	b.t.Helper()
	action, fields := fill(b.t, page)
	fields.Set(button, "x")
	return b.send("POST", action, fields)
}

// dance does all three steps as the user and returns the access token.
func (w *world) dance(config *oauth1.Config, user, password string) *oauth1.Token {
	w.t.Helper()
	token, secret, err := config.RequestToken()
	w.must(err)
	b := w.browser()
	page := w.want(b.login(w.url+"/plugins/servlet/oauth/authorize?oauth_token="+token, user, password), 200, `data-username="`+user)
	back := mustURL(w.t, w.want(b.consent(page.body, "approve"), 302).header.Get("Location"))
	if !strings.HasPrefix(back.String(), callback+"?") || back.Query().Get("oauth_token") != token {
		w.t.Fatalf("sent back to %s", back)
	}
	access, accessSecret, err := config.AccessToken(token, secret, back.Query().Get("oauth_verifier"))
	w.must(err)
	return oauth1.NewToken(access, accessSecret)
}

// signed makes a REST call with an access token.
func (w *world) signed(config *oauth1.Config, token *oauth1.Token, method, path, body string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	w.must(err)
	req.Header.Set("Accept", "application/json")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	copied := *w
	copied.http = config.Client(w.t.Context(), token)
	return copied.do(req)
}

func TestOAuthDance(t *testing.T) {
	for _, base := range []string{"", "http://bitbucket.example/git"} {
		w := newWorld(t, bitbucketd.Options{BaseURL: base})
		config := w.linked()
		token := w.dance(config, "svc@corp", "svc-pw")
		a := w.want(w.signed(config, token, "GET", api+"/users?filter=svc&permission=LICENSED_USER&permission.1=LICENSED_USER", ""), 200)
		if a.header.Get("X-AUSERNAME") != "svc@corp" {
			t.Errorf("acts as %q", a.header.Get("X-AUSERNAME"))
		}
		hook := `{"name":"tf","url":"https://terraform.example/webhooks/vcs/1","events":["repo:refs_changed","pr:opened"],"active":true,"configuration":{"secret":"s"}}`
		w.want(w.signed(config, token, "POST", vpc+"/webhooks", hook), 401, noPerm)
		w.must(w.Grant("svc@corp", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoAdmin))
		w.want(w.signed(config, token, "POST", vpc+"/webhooks", hook), 201, `"events":["repo:refs_changed","pr:opened"]`)
		// Deleting the link ends consumer and token.
		w.want(w.as(admin, "DELETE", links+"/"+orgID, ""), 200)
		w.want(w.signed(config, token, "GET", api+"/users", ""), 401, "consumer_key_unknown")
	}
}

func TestConsentPages(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	config := w.linked()
	at := func(token string) string { return w.url + "/plugins/servlet/oauth/authorize?oauth_token=" + token }
	token, secret, err := config.RequestToken()
	w.must(err)

	b := w.browser()
	if a := b.login(at(token), "svc@corp", "wrong"); !strings.Contains(a.body, `role="alert"`) {
		t.Errorf("wrong password: %d %s", a.status, a.body)
	}
	page := w.want(b.login(at(token), "svc@corp", "svc-pw"), 200, "Terraform")
	if page.header.Get("X-Frame-Options") == "" || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("headers %v", page.header)
	}
	action, fields := fill(t, page.body)
	fields.Set("approve", "x")
	good := fields.Get("atl_token")
	fields.Set("atl_token", "guess")
	w.want(b.send("POST", action, fields), 403, "Xsrf token validation failed")
	fields.Del("approve")
	fields.Set("atl_token", good)
	w.want(b.send("POST", action, fields), 400)

	// Denied: the consumer is told, and gets nothing.
	back := mustURL(t, w.want(b.consent(page.body, "deny"), 302).header.Get("Location"))
	if back.Query().Get("oauth_verifier") != "denied" {
		t.Errorf("back to %s", back)
	}
	w.want(b.get(at(token)), 401, "token_used")
	if _, _, err := config.AccessToken(token, secret, "denied"); err == nil || !strings.Contains(err.Error(), "permission_denied") {
		t.Errorf("denied: %v", err)
	}
	w.want(b.get(at("none")), 401, "token_rejected")

	token, _, err = config.RequestToken()
	w.must(err)
	w.now.advance(11 * time.Minute)
	w.want(b.get(at(token)), 401, "token_expired")

	// Basic credentials and tokens are no session.
	w.want(w.as(svc, "GET", "/plugins/servlet/oauth/authorize?oauth_token="+token, ""), 302)
}

func TestOutOfBand(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	config := w.linked()
	config.CallbackURL = "oob"
	token, secret, err := config.RequestToken()
	w.must(err)
	b := w.browser()
	page := w.want(b.login(w.url+"/plugins/servlet/oauth/authorize?oauth_token="+token, "ann", "ann-pw"), 200)
	page = w.want(b.consent(page.body, "approve"), 200)
	m := regexp.MustCompile(`id="verifier">([A-Za-z0-9]{6})<`).FindStringSubmatch(page.body)
	if m == nil {
		t.Fatalf("no verifier: %s", page.body)
	}
	access, _, err := config.AccessToken(token, secret, m[1])
	w.must(err)

	// The person sees the consent and takes it back.
	list := "/plugins/servlet/oauth/users/access-tokens"
	w.want(b.get(w.url+list), 200, access)
	w.want(b.send("DELETE", w.url+list, nil), 400)
	w.want(b.send("DELETE", w.url+list+"?token="+access, nil), 200)
	w.want(w.signed(config, oauth1.NewToken(access, ""), "GET", api+"/users", ""), 401, "token_rejected")
}

func TestOAuthProblems(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	config := w.linked()
	private, _ := consumerPair(t, 0)
	wrong, _ := consumerPair(t, 1)
	call := func(edit func(*signing)) answer {
		s := &signing{
			key: "k", private: private, method: "RSA-SHA1", version: "1.0", nonce: fmt.Sprint(time.Now().UnixNano()),
			at: w.now.Now().Unix(), callback: "oob", path: "/plugins/servlet/oauth/request-token",
		}
		edit(s)
		return w.do(s.request(w))
	}
	for _, tt := range []struct {
		problem string
		status  int
		edit    func(*signing)
	}{
		{"", 200, func(*signing) {}},
		{"", 200, func(s *signing) { s.nonce = "twice" }},
		{"nonce_used", 401, func(s *signing) { s.nonce = "twice" }},
		{"consumer_key_unknown", 401, func(s *signing) { s.key = "other" }},
		{"signature_invalid", 401, func(s *signing) { s.private = wrong }},
		{"signature_method_rejected", 400, func(s *signing) { s.method = "HMAC-SHA1" }},
		{"version_rejected", 400, func(s *signing) { s.version = "2.0" }},
		{"timestamp_refused", 400, func(s *signing) { s.at -= 301 }},
		{"timestamp_refused", 400, func(s *signing) { s.at += 301 }},
		{"parameter_absent", 400, func(s *signing) { s.nonce = "" }},
		{"parameter_rejected", 400, func(s *signing) { s.callback = "ftp://x" }},
		{"parameter_absent", 400, func(s *signing) { s.path = "/plugins/servlet/oauth/access-token" }},
		{"token_rejected", 401, func(s *signing) { s.path, s.token = "/plugins/servlet/oauth/access-token", "none" }},
	} {
		a := call(tt.edit)
		if a.status != tt.status || tt.problem != "" && (!strings.HasPrefix(a.body, "oauth_problem="+tt.problem) ||
			!strings.Contains(a.header.Get("WWW-Authenticate"), `oauth_problem="`+tt.problem+`"`) || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `OAuth realm="`)) {
			t.Errorf("%s: have %d %q %q", tt.problem, a.status, a.body, a.header.Get("WWW-Authenticate"))
		}
	}
	token, secret, err := config.RequestToken()
	w.must(err)
	if _, _, err := config.AccessToken(token, secret, "x"); err == nil || !strings.Contains(err.Error(), "permission_unknown") {
		t.Errorf("before consent: %v", err)
	}
	w.want(w.as("", "GET", "/plugins/servlet/oauth/request-token", ""), 404)
}

func TestTokensLiveAndDie(t *testing.T) {
	for _, drop := range []bool{false, true} {
		w := newWorld(t, bitbucketd.Options{DropTokensOnKeyChange: drop})
		config := w.linked()
		token := w.dance(config, "svc@corp", "svc-pw")
		// The same consumer key with another public key.
		private, public := consumerPair(t, 1)
		w.want(w.as(admin, "PUT", oauthOf+orgID+consumer, consumerJSON("k", public)), 201)
		w.want(w.signed(config, token, "GET", api+"/users", ""), 401, "signature_invalid")
		status := 200
		if drop {
			status = 401
		}
		changed := w.terraform("k", private)
		w.want(w.signed(changed, token, "GET", api+"/users", ""), status)
		if drop {
			token = w.dance(changed, "svc@corp", "svc-pw")
		}
		n, err := w.RevokeTokens("svc@corp")
		w.must(err)
		if n == 0 {
			t.Error("nothing to revoke")
		}
		w.want(w.signed(changed, token, "GET", api+"/users", ""), 401, "token_rejected")
	}
}

func TestAccessTokenExpires(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.linked()
	private, _ := consumerPair(t, 0)
	err := w.Change("an old token", func(st *bitbucketd.State) error {
		st.AccessTokens["old"] = &bitbucketd.AccessToken{Token: "old", Handle: "h", Consumer: "k", User: "ann", Created: w.now.Now().Add(-157680001 * time.Second).UnixMilli()}
		return nil
	})
	w.must(err)
	config := w.terraform("k", private)
	w.want(w.signed(config, oauth1.NewToken("old", ""), "GET", api+"/users", ""), 401, "token_expired")
	s := &signing{
		key: "k", private: private, method: "RSA-SHA1", version: "1.0", nonce: "n", at: w.now.Now().Unix(), token: "old", handle: "h",
		path: "/plugins/servlet/oauth/access-token",
	}
	a := w.want(w.do(s.request(w)), 200, "oauth_expires_in=157680000", "oauth_authorization_expires_in=160272000")
	values, err := url.ParseQuery(a.body)
	w.must(err)
	w.want(w.signed(config, oauth1.NewToken(values.Get("oauth_token"), ""), "GET", api+"/users", ""), 200)
}

func TestLoginStaysInside(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "evil"} {
		a := w.want(w.browser().send("POST", w.url+"/j_atl_security_check", url.Values{"j_username": {"ann"}, "j_password": {"ann-pw"}, "next": {next}}), 302)
		if have := a.header.Get("Location"); have != "/" {
			t.Errorf("%s: sent to %s", next, have)
		}
	}
	b := w.browser()
	w.want(b.login(w.url+"/", "ann", "ann-pw"), 200, `data-username="ann"`)
	w.want(b.get(w.url+"/logout"), 302)
	w.want(b.get(w.url+"/"), 302)
}
