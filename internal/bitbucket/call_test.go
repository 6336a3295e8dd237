package bitbucket

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/secret"
)

const twoLinks = `[{"id":"9355acee-2f33-3128-aaf3-73ac3bf1fdb6","name":"a","rpcUrl":"https://app.terraform.io","type":"generic"},
	{"id":"17","name":"b","rpcUrl":"https://b.example","type":"oauth2-client"}]`

func TestReadsSurviveFaults(t *testing.T) {
	faults := map[string][]http.HandlerFunc{
		"none":             nil,
		"hung up":          {hangsUp, hangsUp},
		"broken off":       {breaksOff},
		"502, 503, 504":    {says(502, page200), says(503, ""), says(504, "")},
		"429":              {says(429, "")},
		"429, Retry-After": {says(429, "", "Retry-After", "0.01")},
		"mad Retry-After":  {says(429, "", "Retry-After", "soon"), says(429, "", "Retry-After", "-5")},
		"a page":           {says(200, page200, "Content-Type", "text/html")},
		"a truncated list": {says(200, twoLinks[:len(twoLinks)/2])},
		"nothing":          {says(200, "")},
	}
	for name, steps := range faults {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, append(steps, says(200, twoLinks))...)
			links, err := client(t, s.url).Links(t.Context())
			if err != nil || len(links) != 2 || !links[0].Generic() || links[0].OAuth2() || links[1].Generic() || !links[1].OAuth2() {
				t.Errorf("links %+v, %v", links, err)
			}
		})
	}
}

func TestReadsGiveUp(t *testing.T) {
	tests := map[string]struct {
		step  http.HandlerFunc
		tries int
		want  error
	}{
		"hung up":             {hangsUp, -1, ErrUnavailable},
		"503":                 {says(503, ""), maxTries, ErrUnavailable},
		"a page":              {says(200, page200), maxTries, ErrBadAnswer},
		"a far Retry-After":   {says(503, "", "Retry-After", "86400"), 1, ErrUnavailable},
		"500":                 {says(500, `{"errors":[{"message":"oops"}]}`), 1, nil},
		"redirect":            {says(302, "", "Location", "https://elsewhere.example/"), 1, ErrBadAnswer},
		"wrong password":      {says(401, ""), 1, ErrCredentials},
		"missing permissions": {says(401, "", "X-AUSERNAME", "admin"), 1, ErrForbidden},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, test.step)
			_, err := client(t, s.url).SSHKeys(t.Context(), "svc")
			var e *Error
			if !errors.As(err, &e) || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			// Go's own transport repeats a GET on a reused connection that died.
			if test.tries > 0 && s.count() != test.tries {
				t.Errorf("%d requests, want %d", s.count(), test.tries)
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("the password is in %v", err)
			}
		})
	}
}

func TestWritesAreRepeatedOnlyWhereSafe(t *testing.T) {
	post := call{op: "posting", method: http.MethodPost, path: "/x", body: []byte("{}")}
	put := call{op: "putting", method: http.MethodPut, path: "/x", body: []byte("{}"), idempotent: true}
	tests := map[string]struct {
		call  call
		step  http.HandlerFunc
		tries int
		lost  bool
	}{
		"POST hung up":   {post, hangsUp, 1, true},
		"POST 503":       {post, says(503, ""), 1, true},
		"POST 429":       {post, says(429, ""), maxRefusals, false},
		"POST 400":       {post, says(400, ""), 1, false},
		"PUT hung up":    {put, hangsUp, maxTries, true},
		"PUT 503":        {put, says(503, ""), maxTries, true},
		"PUT 500":        {put, says(500, ""), 1, true},
		"PUT broken off": {put, breaksOff, maxTries, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, test.step)
			err := client(t, s.url).do(t.Context(), test.call, nil)
			if err == nil || lost(err) != test.lost || s.count() != test.tries {
				t.Errorf("%v, lost %v, after %d requests; want lost %v after %d", err, lost(err), s.count(), test.lost, test.tries)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	err = client(t, "http://"+address).do(t.Context(), call{op: "posting", method: http.MethodPost, path: "/x"}, nil)
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrUnavailable) || !e.undone || !strings.Contains(err.Error(), "can be reached from here") {
		t.Errorf("%v", err)
	}
}

// A wrong password must reach the server once, however many ask at once.
func TestWrongPasswordIsSentOnce(t *testing.T) {
	for name, step := range map[string]http.HandlerFunc{
		"wrong":   says(401, `{"errors":[{"message":"no","exceptionName":"com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException"}]}`),
		"captcha": says(401, `{"errors":[{"message":"no","exceptionName":"com.atlassian.bitbucket.auth.CaptchaRequiredAuthenticationException"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, step)
			c := client(t, s.url)
			var wg sync.WaitGroup
			var refused atomic.Int32
			for range 50 {
				wg.Go(func() {
					if _, err := c.Links(t.Context()); errors.Is(err, ErrCredentials) || errors.Is(err, ErrCaptcha) {
						refused.Add(1)
					}
				})
			}
			wg.Wait()
			if s.count() != 1 || refused.Load() != 50 {
				t.Errorf("%d requests, %d of 50 refused", s.count(), refused.Load())
			}
			if err := c.DeleteSSHKey(t.Context(), "svc", 1); err == nil || !strings.Contains(err.Error(), "not sent") {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// Until the password is known to be right, requests go one at a time; then all at once.
func TestRequestsGoTogetherOnceThePasswordIsProven(t *testing.T) {
	var together, most atomic.Int32
	open := make(chan struct{})
	first := make(chan struct{}, 20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := together.Add(1)
		defer together.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		first <- struct{}{}
		<-open
		says(200, "[]")(w, nil)
	}))
	defer server.Close()
	c := client(t, server.URL)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := c.Links(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	<-first // one is at the server; the others cannot be
	if n := most.Load(); n != 1 {
		t.Errorf("%d requests at once with an unproven password", n)
	}
	open <- struct{}{}
	for range 9 { // all others arrive while none is answered
		<-first
	}
	close(open)
	wg.Wait()
}

func TestCredentialsGoNowhereElse(t *testing.T) {
	other := newScript(t, says(200, "[]"))
	s := newScript(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.url, http.StatusFound) })
	if _, err := client(t, s.url).Links(t.Context()); !errors.Is(err, ErrBadAnswer) {
		t.Errorf("error %v", err)
	}
	if other.count() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestHeaders(t *testing.T) {
	var have http.Header
	s := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		have = r.Header.Clone()
		says(200, updated)(w, r)
	})
	c := client(t, s.url, func(c *Config) { c.UserAgent = "bbsync/1.2" })
	if err := c.RenameLink(t.Context(), Link{ID: orgID, URL: orgURL}, "new"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Accept": "application/json", "Content-Type": "application/json", "X-Atlassian-Token": "no-check",
		"User-Agent": "bbsync/1.2", "Authorization": "Basic YWRtaW46cGE1NXdvcmQtY2FuYXJ5",
	} {
		if have.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, have.Get(name), want)
		}
	}
	if _, err := c.Properties(t.Context()); err == nil || have.Get("Authorization") != "" {
		t.Error("an anonymous request carries the account")
	}
}

func TestDeadlinesAndCancellation(t *testing.T) {
	release := make(chan struct{})
	s := newScript(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	c := client(t, s.url, func(c *Config) { c.Timeout = 20 * time.Millisecond })
	if _, err := c.Links(t.Context()); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || s.count() != maxTries {
		t.Errorf("a server that hangs: %v after %d requests", err, s.count())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Links(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestHugeAnswersAreCut(t *testing.T) {
	s := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for range 64 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	if _, err := client(t, s.url).Links(t.Context()); status(err) != 500 || len(err.Error()) > 20<<10 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

// A list of links has no pages: a large fleet's is taken, however long.
func TestLargeListOfLinks(t *testing.T) {
	blank := bytes.Repeat([]byte(" "), 1<<20)
	s := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		for range maxBody>>20 + 1 {
			if _, err := w.Write(blank); err != nil {
				return
			}
		}
		_, _ = w.Write([]byte("[]"))
	})
	if links, err := client(t, s.url).Links(t.Context()); err != nil || len(links) != 0 {
		t.Errorf("%d links, %v", len(links), err)
	}
}

func TestLimiterLearnsAndIsPaused(t *testing.T) {
	l := limit.New(limit.Options{})
	s := newScript(t,
		says(429, "", "Retry-After", "0.02"),
		says(200, "[]", "X-RateLimit-Limit", "60", "X-RateLimit-FillRate", "500", "X-RateLimit-Interval-Seconds", "1"))
	if _, err := client(t, s.url, func(c *Config) { c.Limiter = l }).Links(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := l.Figures()
	if f.Requests != 2 || f.Throttled != 1 || f.Rate != (limit.Rate{PerSecond: 500, Burst: 60}) {
		t.Errorf("figures %+v", f)
	}
}

func TestClock(t *testing.T) {
	c := client(t, "https://bitbucket.example")
	if _, known := c.Clock(); known {
		t.Error("known before any answer")
	}
	now := time.Now()
	for offset, want := range map[time.Duration]time.Duration{
		0: 0, 10 * time.Minute: 10 * time.Minute, -time.Hour: -time.Hour,
	} {
		h := http.Header{"Date": {now.Add(offset).UTC().Truncate(time.Second).Format(http.TimeFormat)}}
		c.clock.look(h, now, now)
		if skew, known := c.Clock(); !known || (skew-want).Abs() > time.Second {
			t.Errorf("skew %s, want %s", skew, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, config := range map[string]Config{
		"no URL":        {},
		"no scheme":     {URL: "bitbucket.example"},
		"password":      {URL: "https://a:s3cret@bitbucket.example"},
		"query":         {URL: "https://bitbucket.example?s3cret"},
		"bad URL":       {URL: "https://s3cret\x7f"},
		"half account":  {URL: "https://bitbucket.example", Username: "a"},
		"other half":    {URL: "https://bitbucket.example", Password: secret.New("s3cret")},
		"CA of nothing": {URL: "https://bitbucket.example", CA: []byte("s3cret")},
	} {
		if _, err := New(config); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(says(200, "[]"))
	defer server.Close()
	_, err := client(t, server.URL).Links(t.Context())
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "set ca_file") {
		t.Errorf("a certificate nobody vouches for: %v", err)
	}
	ca := pemOf(server.Certificate().Raw)
	if _, err := client(t, server.URL, func(c *Config) { c.CA = ca }).Links(t.Context()); err != nil {
		t.Errorf("a certificate that the CA vouches for: %v", err)
	}
}
