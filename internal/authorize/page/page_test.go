package page

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A terraform knows who has a token.
type terraform struct {
	mu    sync.Mutex
	users map[string]string // by organization
}

func (f *terraform) Clients(_ context.Context, org string) ([]tfe.OAuthClient, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := tfe.OAuthClient{ID: "oc-" + org}
	if user, ok := f.users[org]; ok {
		c.Token = &tfe.Token{ID: "ot-" + user, User: user}
	}
	return []tfe.OAuthClient{c}, nil
}

func (f *terraform) AuthorizedRepos(context.Context, string) ([]string, error) { return nil, nil }
func (f *terraform) Explain404(context.Context, string) error                  { return tfe.ErrNotFound }

func (f *terraform) allow(org, user string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users[org] = user
}

// open serves the page of two organizations, one with a name that is markup.
func open(t *testing.T) (*Server, *authorize.Watch, *terraform) {
	t.Helper()
	server := &terraform{users: map[string]string{}}
	var requests []authorize.Request
	for _, org := range []string{"acme", `"><script>alert(1)</script>`} {
		requests = append(requests, authorize.Request{
			Target: plan.Target{Address: "connection." + org, Organization: org, BitbucketURL: "https://bitbucket.example/git", ServiceUser: "svc-terraform", Client: "Bitbucket"},
			Person: plan.Person{ClientID: "oc-" + org, URL: "https://app.terraform.io/auth/1?organization_id=7"},
		})
	}
	watch := authorize.New(func(context.Context, string, string) (authorize.Terraform, error) { return server, nil }, requests, authorize.Options{Stay: true})
	s, err := Open(t.Context(), watch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s, watch, server
}

func request(t *testing.T, method, address, host string, header http.Header) (status int, headers http.Header, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	maps.Copy(req.Header, header)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

func TestWhoGetsIn(t *testing.T) {
	s, _, _ := open(t)
	page, root := s.URL(), "http://"+s.host()
	elsewhere := http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	same := http.Header{"Origin": {root}, "Sec-Fetch-Site": {"same-origin"}}
	for _, c := range []struct {
		name, method, address, host string
		header                      http.Header
		want                        int
	}{
		{"the page", "GET", page, "", nil, 200},
		{"its style", "GET", page + "page.css", "", nil, 200},
		{"its script", "GET", page + "page.js", "", nil, 200},
		{"a guess", "GET", root + "/", "", nil, 404},
		{"another guess", "GET", root + "/" + strings.Repeat("A", len(s.secret)) + "/", "", nil, 404},
		{"a file without the path", "GET", root + "/page.js", "", nil, 404},
		{"the events without the path", "GET", root + "/events", "", nil, 404},
		{"the template as it is", "GET", page + "page.html", "", nil, 404},
		{"a name that points here", "GET", page, "rebound.example", nil, 421},
		{"the name of loopback, which cookies and caches tell apart", "GET", page, "localhost:" + s.host()[10:], nil, 421},
		{"a click", "POST", page + "sent/0", "", same, 204},
		{"a click on nothing", "POST", page + "sent/2", "", same, 404},
		{"a click on less than nothing", "POST", page + "sent/-1", "", same, 404},
		{"a click of another site's page", "POST", page + "sent/0", "", elsewhere, 403},
		{"posting the page", "POST", page, "", same, 405},
	} {
		status, headers, body := request(t, c.method, c.address, c.host, c.header)
		if status != c.want {
			t.Errorf("%s: status %d, want %d", c.name, status, c.want)
		}
		if c.want != 200 && strings.Contains(body, s.secret) {
			t.Errorf("%s: the answer gives the path away", c.name)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cache-Control": "no-store", "Access-Control-Allow-Origin": "",
		} {
			if have := headers.Get(name); have != want {
				t.Errorf("%s: %s is %q, want %q", c.name, name, have, want)
			}
		}
	}
}

func TestItIsOnLoopback(t *testing.T) {
	s, _, _ := open(t)
	if !strings.HasPrefix(s.host(), "127.0.0.1:") || len(s.secret) < 26 {
		t.Errorf("it is at %s, below %d characters", s.host(), len(s.secret))
	}
	other, _, _ := open(t)
	if s.secret == other.secret {
		t.Error("two pages have the same path")
	}
}

func TestWhatThePageShows(t *testing.T) {
	s, _, _ := open(t)
	_, _, body := request(t, "GET", s.URL(), "", nil)
	for _, want := range []string{
		"Connect organization acme</a>", `href="https://app.terraform.io/auth/1?organization_id=7"`, "0 of 2 connected", "as <strong>svc-terraform</strong>",
		`href="https://bitbucket.example/git"`, `aria-live="polite"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "style=") || strings.Count(body, "<script") != 1 {
		t.Errorf("the page holds what it should not:\n%s", body)
	}
	for _, part := range strings.Split(body, `src="`)[1:] {
		if strings.HasPrefix(part, "http") || strings.HasPrefix(part, "//") {
			t.Errorf("the page loads %s", part[:40])
		}
	}
}

// The page hears of every change, and of the end.
func TestEvents(t *testing.T) {
	s, watch, server := open(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	next := func() state {
		t.Helper()
		for lines.Scan() {
			text, found := strings.CutPrefix(lines.Text(), "data: ")
			if !found {
				continue
			}
			var have state
			if err := json.Unmarshal([]byte(text), &have); err != nil {
				t.Fatal(err)
			}
			return have
		}
		t.Fatal("the stream ended")
		return state{}
	}
	if have := next(); have.Done != 0 || have.Total != 2 || have.Rows[0].State != "waiting" {
		t.Errorf("at first: %+v", have)
	}
	server.allow("acme", "admin")
	watch.Check(t.Context(), 0)
	have := next()
	if have.Rows[0].State != "wrong" || have.Rows[0].Settings != "https://app.terraform.io/app/acme/settings/version-control" || !strings.Contains(have.Rows[0].Text, "log in as svc-terraform") {
		t.Errorf("as the wrong user: %+v", have)
	}
	server.allow("acme", "svc-terraform")
	watch.Check(t.Context(), 0)
	if have := next(); have.Done != 1 || have.Rows[0] != (row{Name: "acme", State: "done", Text: "Connected as svc-terraform"}) {
		t.Errorf("as the service user: %+v", have)
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	if have := next(); !have.Over {
		t.Errorf("at the end: %+v", have)
	}
	for lines.Scan() {
		if lines.Text() != "" {
			t.Errorf("after the end: %q", lines.Text())
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
