package drive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/plan"
)

func aRequest() authorize.Request {
	return authorize.Request{
		Target: plan.Target{Address: "connection.team", Organization: "acme", BitbucketURL: "https://bitbucket.example:443/git", ServiceUser: "svc-terraform"},
		Person: plan.Person{ClientID: "oc-1", URL: "https://app.terraform.io/auth/1?organization_id=7", Consumer: "Terraform Cloud (acme)"},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	right := page{
		URL: "https://bitbucket.example/git/plugins/servlet/oauth/authorize?oauth_token=secret", Status: 200, Ready: true,
		Allow: true, Sends: "https://bitbucket.example", Named: true, User: "svc-terraform", Whoami: "svc-terraform",
	}
	for _, c := range []struct {
		name    string
		change  func(*page)
		clicked bool
		want    kind
		text    string
	}{
		{"the Allow page", func(*page) {}, false, allow, ""},
		{"the Allow page that was clicked", func(*page) {}, true, loading, ""},
		{"the name in another case", func(p *page) { p.User, p.Whoami = "SVC-Terraform", "Svc-terraform" }, false, allow, ""},
		{"a page that does not tell the user, and a server that does", func(p *page) { p.User = "" }, false, allow, ""},
		{"a page that tells the user, and a server that does not", func(p *page) { p.Whoami = "" }, false, allow, ""},
		{"nobody tells the user", func(p *page) { p.User, p.Whoami = "", "" }, false, odd, "does not tell who is logged in"},
		{"the administrator", func(p *page) { p.User, p.Whoami = "admin", "admin" }, false, odd, "admin is logged in to Bitbucket, and not svc-terraform"},
		{"the page and the server do not agree", func(p *page) { p.User = "admin" }, false, odd, "admin is logged in"},
		{"the server and the page do not agree", func(p *page) { p.Whoami = "admin" }, false, odd, "is logged in to Bitbucket"},
		{"another application", func(p *page) { p.Named = false }, false, odd, `not about the application "Terraform Cloud (acme)"`},
		{"an Allow page of another host", func(p *page) { p.URL = "https://bitbucket.example.evil/git/x" }, false, odd, "not on the Bitbucket at"},
		{"of another port", func(p *page) { p.URL = "https://bitbucket.example:8443/git/x" }, false, odd, "not on the Bitbucket at"},
		{"without TLS", func(p *page) { p.URL = "http://bitbucket.example/git/x" }, false, odd, "not on the Bitbucket at"},
		{"of another application on the host", func(p *page) { p.URL = "https://bitbucket.example/gitea/x" }, false, odd, "not on the Bitbucket at"},
		{"a form that goes elsewhere", func(p *page) { p.Sends = "https://evil.example" }, false, odd, "sends to https://evil.example"},
		{"a page that still loads", func(p *page) { p.Ready = false }, false, loading, ""},
		{"no page yet", func(p *page) { *p = page{} }, false, loading, ""},
		{"Bitbucket's login", func(p *page) { p.Allow, p.Password = false, true }, false, persons, "as svc-terraform"},
		{"Terraform's login", func(p *page) {
			*p = page{URL: "https://app.terraform.io/session", Ready: true, Password: true, Status: 422}
		}, false, persons, "log in at https://app.terraform.io/session"},
		{"single sign-on", func(p *page) { *p = page{URL: "https://login.example/saml?x=1", Ready: true} }, false, persons, "go on at https://login.example/saml"},
		{"Terraform after the click", func(p *page) { *p = page{URL: "https://app.terraform.io/app/acme", Ready: true, Status: 200} }, true, back, ""},
		{"Terraform before it", func(p *page) { *p = page{URL: "https://app.terraform.io/app/acme", Ready: true, Status: 200} }, false, other, ""},
		{"Bitbucket's front page", func(p *page) { p.Allow = false }, true, other, ""},
		{"a page that cannot be opened", func(p *page) { *p = page{URL: "chrome-error://chromewebdata/", Ready: true} }, false, odd, "the browser cannot open a page"},
		{"Terraform cannot", func(p *page) {
			*p = page{URL: "https://app.terraform.io/auth/1?x=secret", Ready: true, Status: 500, Title: "500"}
		}, false, odd, `the page answers 500: https://app.terraform.io/auth/1 ("500")`},
		{"Bitbucket's error", func(p *page) { p.Allow, p.Status = false, 401 }, false, odd, "the page answers 401"},
	} {
		p := right
		c.change(&p)
		have := p.judge(aRequest(), c.clicked)
		if have.kind != c.want || !strings.Contains(have.text, c.text) {
			t.Errorf("%s: have %v %q, want %v %q", c.name, have.kind, have.text, c.want, c.text)
		}
		if strings.Contains(have.text, "secret") {
			t.Errorf("%s: it tells what is secret: %s", c.name, have.text)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	has := func(names ...string) func(string) (string, error) {
		return func(name string) (string, error) {
			for _, n := range names {
				if n == name {
					return "/usr/bin/" + n, nil
				}
			}
			return "", exec.ErrNotFound
		}
	}
	if have, err := Find("", has("google-chrome", "chromium-browser")); have != "/usr/bin/chromium-browser" || err != nil {
		t.Errorf("have %q, %v", have, err)
	}
	if have, err := Find("brave", has("brave", "chromium")); have != "/usr/bin/brave" || err != nil {
		t.Errorf("have %q, %v", have, err)
	}
	if _, err := Find("brave", has("chromium")); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("have %v", err)
	}
	if _, err := Find("", has()); err == nil || !strings.Contains(err.Error(), "--browser") {
		t.Errorf("have %v", err)
	}
}

// A site is a Bitbucket of one page.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	body   string
	user   string // of whoami; "": there is none
	posted int
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		s.posted++
		_, _ = fmt.Fprint(w, "allowed")
	case strings.HasSuffix(r.URL.Path, "/whoami"):
		if s.user == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprint(w, s.user)
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, s.body)
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// headless is a program that begins a real Chromium without a screen.
func headless(t *testing.T) string {
	t.Helper()
	real, err := Find("", exec.LookPath)
	if err != nil {
		t.Fatalf(".ci/setup installs Chromium: %v", err)
	}
	file := filepath.Join(t.TempDir(), "browser")
	text := "#!/bin/sh\nexec " + real + " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --disable-background-networking --disable-component-update \"$@\"\n"
	if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestClick holds the script against pages in a real Chromium: it clicks the
// right one, however it is laid out, and no other.
func TestClick(t *testing.T) {
	t.Setenv("DISPLAY", ":99")
	bitbucket, elsewhere := newSite(t), newSite(t)
	r := aRequest()
	r.BitbucketURL = bitbucket.URL + "/git"
	b, err := open(t.Context(), headless(t), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	const form = `<form method="post" action="/git/authorize"><input type="hidden" name="oauth_token" value="t"><input type="submit" name="deny" value="Deny"><input type="submit" name="approve" value="Allow"></form>`
	const text = `<p>The application <b>Terraform Cloud
		(acme)</b> would like access.</p>`
	const who = `<span data-username="svc-terraform">Terraform</span>`
	for _, c := range []struct {
		name, body, whoami string
		on                 *site
		clicks             bool
	}{
		{"the sandbox's way", who + text + form, "svc-terraform", bitbucket, true},
		{"a button element, a foreign language", who + text + strings.ReplaceAll(form, `<input type="submit" name="approve" value="Allow">`, `<button type="submit" name="approve">Erlauben</button>`), "", bitbucket, true},
		{"only whoami tells the user", text + form, "svc-terraform", bitbucket, true},
		{"nobody tells the user", text + form, "", bitbucket, false},
		{"the administrator", `<span data-username="admin">x</span>` + text + form, "admin", bitbucket, false},
		{"another application", who + "<p>Terraform Cloud (other)</p>" + form, "svc-terraform", bitbucket, false},
		{"the name in a field only", who + `<input value="Terraform Cloud (acme)">` + form, "svc-terraform", bitbucket, false},
		{"a form that goes elsewhere", who + text + strings.ReplaceAll(form, "/git/authorize", elsewhere.URL+"/authorize"), "svc-terraform", bitbucket, false},
		{"no request token", who + text + strings.ReplaceAll(form, "oauth_token", "other"), "svc-terraform", bitbucket, false},
		{"another site", who + text + form, "svc-terraform", elsewhere, false},
	} {
		c.on.mu.Lock()
		c.on.body, c.on.user, c.on.posted = "<!doctype html>"+c.body, c.whoami, 0
		c.on.mu.Unlock()
		if err := b.navigate(t.Context(), c.on.URL+"/git/authorize"); err != nil {
			t.Fatal(err)
		}
		var p page
		for !p.Ready || p.URL != c.on.URL+"/git/authorize" {
			time.Sleep(10 * time.Millisecond)
			if p, err = b.look(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if have := p.judge(r, false).kind == allow; have != c.clicks {
			t.Errorf("%s: judged %v: %+v", c.name, p.judge(r, false), p)
		}
		clicked, err := b.allow(t.Context(), r)
		if err != nil || clicked != c.clicks {
			t.Errorf("%s: clicked %t, %v; want %t", c.name, clicked, err, c.clicks)
		}
		for clicked && !arrived(c.on) {
			time.Sleep(10 * time.Millisecond) // the form is on its way
		}
		if arrived(bitbucket) != c.clicks || arrived(elsewhere) {
			t.Errorf("%s: a form was sent: %t to Bitbucket, %t elsewhere", c.name, arrived(bitbucket), arrived(elsewhere))
		}
		bitbucket.mu.Lock()
		bitbucket.posted = 0
		bitbucket.mu.Unlock()
	}
}

func arrived(s *site) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posted > 0
}

// TestStays: a page that is not what was expected is waited for, the longer the
// likelier it is that a server or a person is slow.
func TestStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		is     kind
		inside bool
		so     time.Duration
		want   string // the problem
		tells  bool
	}{
		{"a person logs in for an hour", persons, true, time.Hour, "", false},
		{"a server takes its time", loading, true, 30 * time.Second, "", false},
		{"and more than that", loading, true, 2 * time.Minute, "does not load", false},
		{"even before anybody has logged in", loading, false, 2 * time.Minute, "does not load", false},
		{"a page that may lead on", other, true, 5 * time.Second, "", false},
		{"a page that does not", other, true, 11 * time.Second, "was not expected", false},
		{"Terraform after the click, which is slow to tell of a token", back, true, 11 * time.Second, "", false},
		{"Terraform after the click, without a token", back, true, 2 * time.Minute, "no token", false},
		{"a second factor, or a login that forgot where it should lead", other, false, 11 * time.Second, "", true},
	} {
		var told string
		d := &driver{opts: Options{Settle: 10 * time.Second, Tell: func(text string) { told = text }}, inside: c.inside}
		have := d.stays(aRequest(), page{URL: "https://app.terraform.io/app?x=secret"}, c.is, c.so)
		if !strings.Contains(have, c.want) || (c.want == "") != (have == "") || c.tells != (told != "") {
			t.Errorf("%s: have %q, told %q", c.name, have, told)
		}
		if c.tells && !strings.Contains(told, "open "+aRequest().URL+" in it") || strings.Contains(have+told, "secret") {
			t.Errorf("%s: told %q, %q", c.name, told, have)
		}
	}
}

// TestCannotOpen: what the browser itself says in place of a page is no page of
// somebody's to log in at.
func TestCannotOpen(t *testing.T) {
	t.Setenv("DISPLAY", ":99")
	gone := newSite(t)
	gone.Close()
	b, err := open(t.Context(), headless(t), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.navigate(t.Context(), gone.URL); err != nil {
		t.Fatal(err)
	}
	r := aRequest()
	for v := (verdict{}); v.kind != odd; {
		time.Sleep(10 * time.Millisecond)
		p, err := b.look(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if v = p.judge(r, false); v.kind != odd && v.kind != loading {
			t.Fatalf("judged %v: %+v", v, p)
		}
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
}

// TestDoesNotOpen: where no window can be opened, that is said, and nothing is
// waited for.
func TestDoesNotOpen(t *testing.T) {
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("DISPLAY", "")
	if _, err := open(t.Context(), headless(t), os.Environ()); err == nil || !strings.Contains(err.Error(), "there is no display; bbsync authorize --no-open") {
		t.Errorf("without a display: %v", err)
	}
	t.Setenv("DISPLAY", ":99")
	if _, err := open(t.Context(), "/bin/false", os.Environ()); err == nil || !strings.Contains(err.Error(), "opening /bin/false") {
		t.Errorf("what is no browser: %v", err)
	}
	real, err := Find("", exec.LookPath)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), real, os.Environ()); err == nil || !strings.Contains(err.Error(), "opening "+real) {
		t.Errorf("a display that nobody serves: %v", err)
	}
}

// TestClosedWindow: a person who closes the window ends the walk, and nothing of
// the browser is left.
func TestClosedWindow(t *testing.T) {
	t.Setenv("DISPLAY", ":99")
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	b, err := open(t.Context(), headless(t), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if profiles, _ := filepath.Glob(filepath.Join(folder, "*", "Default")); len(profiles) != 1 {
		t.Errorf("the profile is not where it is looked for: %v", profiles)
	}
	b.cancels[len(b.cancels)-1]()
	if _, err := b.look(context.Background(), aRequest()); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("looking at a closed window: %v", err)
	}
	if err := b.close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*", "Default")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
