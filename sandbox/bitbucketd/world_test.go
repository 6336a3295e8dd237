package bitbucketd_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/openapicheck"
)

// world is one Bitbucket with users, two projects and three repositories. Every
// answer it gives on a path of the vendor's document is held against the document.
type world struct {
	*bitbucketd.Server
	t    *testing.T
	url  string
	http *http.Client
	now  *clock
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// document is read once.
var document = sync.OnceValues(openapicheck.Bitbucket)

// hostKeys are made once: making them is slow.
var hostKeys = sync.OnceValues(func() ([]string, error) {
	s, err := bitbucketd.New(bitbucketd.Options{})
	if err != nil {
		return nil, err
	}
	st, err := s.Snapshot()
	if err != nil {
		return nil, err
	}
	return st.HostKeys, nil
})

func newWorld(t *testing.T, opts bitbucketd.Options) *world {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	if opts.HostKeys, err = hostKeys(); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: &clock{at: time.Now()}}
	opts.Now, opts.GitDir = w.now.Now, t.TempDir()
	if opts.Check == nil {
		opts.Check = doc.Check
	}
	check := opts.Check
	opts.Check = func(r *http.Request, status int, header http.Header, body []byte) error {
		err := check(r, status, header, body)
		if err != nil {
			t.Error(err)
		}
		return err
	}
	if w.Server, err = bitbucketd.New(opts); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	base, err := url.Parse(opts.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	w.url = server.URL + base.Path
	w.http = server.Client()
	w.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.must(w.SetAddresses(w.url, "127.0.0.1", 7999))
	w.populate()
	return w
}

func (w *world) populate() {
	w.t.Helper()
	for _, a := range []bitbucketd.Account{
		{Name: "admin", Password: "admin-pw", Global: bitbucketd.Admin},
		{Name: "root", Password: "root-pw", Global: bitbucketd.SysAdmin},
		{Name: "svc@corp", Password: "svc-pw", DisplayName: "Service"},
		{Name: "ann", Password: "ann-pw"},
		{Name: "guest", Password: "guest-pw", Unlicensed: true},
	} {
		w.must(w.AddUser(a))
	}
	w.must(w.AddGroup("platform", "ann"))
	w.must(w.AddProject("INFRA", "Infrastructure"))
	w.must(w.AddProject("~ann", "Ann"))
	w.must(w.AddRepo("INFRA", "vpc"))
	w.must(w.AddRepo("INFRA", "DNS zones"))
	w.must(w.AddRepo("~ann", "notes"))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// as makes a REST call: who is "name:password", "Bearer token" or "" for anonymous.
// A body that is not empty is JSON; without one the XSRF header is sent.
func (w *world) as(who, method, path, body string, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Atlassian-Token", "no-check")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if name, password, ok := strings.Cut(who, ":"); ok {
		req.SetBasicAuth(name, password)
	} else if who != "" {
		req.Header.Set("Authorization", who)
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Del(headers[i]); headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	return w.do(req)
}

func (w *world) do(req *http.Request) answer {
	w.t.Helper()
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

const (
	admin = "admin:admin-pw"
	root  = "root:root-pw"
	svc   = "svc@corp:svc-pw"
	ann   = "ann:ann-pw"
	guest = "guest:guest-pw"
)

// want fails the test unless the answer has the status and contains the texts.
func (w *world) want(a answer, status int, texts ...string) answer {
	w.t.Helper()
	if a.status != status {
		w.t.Fatalf("have %d, want %d: %s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			w.t.Errorf("have %s, want %s in it", a.body, text)
		}
	}
	return a
}

// into decodes the answer.
func into[T any](w *world, a answer) T {
	w.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		w.t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// row is one call of a table.
type row struct {
	name   string
	who    string
	call   string // method and path
	body   string
	status int
	text   string
	header []string
}

func (w *world) table(rows []row) {
	w.t.Helper()
	for _, r := range rows {
		method, path, _ := strings.Cut(r.call, " ")
		a := w.as(r.who, method, path, r.body, r.header...)
		if a.status != r.status || !strings.Contains(a.body, r.text) {
			w.t.Errorf("%s: %s: have %d %s, want %d %s", r.name, r.call, a.status, a.body, r.status, r.text)
		}
	}
}

type pageOf[T any] struct {
	Size          int
	Limit         int
	IsLastPage    bool
	Start         int
	NextPageStart *int
	Values        []T
}

// all follows the pages of a list.
func all[T any](w *world, who, path string) []T {
	w.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	var list []T
	for start := 0; ; {
		p := into[pageOf[T]](w, w.want(w.as(who, "GET", fmt.Sprintf("%s%sstart=%d", path, sep, start), ""), 200))
		list = append(list, p.Values...)
		if p.IsLastPage {
			return list
		}
		start = *p.NextPageStart
	}
}
