package front_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/sandbox/front"
)

// world is a server behind a front. did counts the work that was really done.
type world struct {
	front *front.Front
	url   string
	did   atomic.Int64
	http  *http.Client
}

func newWorld(t *testing.T, opts front.Options) *world {
	t.Helper()
	w := &world{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{slug}", func(rw http.ResponseWriter, r *http.Request) {
		n := w.did.Add(1)
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(map[string]any{"slug": r.PathValue("slug"), "start": r.URL.Query().Get("start"), "n": n})
	})
	mux.HandleFunc("POST /users/{slug}", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.did.Add(1)
		rw.WriteHeader(http.StatusCreated)
	})
	w.front = front.New(front.Routed(mux), opts)
	server := httptest.NewServer(w.front)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return w
}

func (w *world) do(t *testing.T, method, path string) (status int, header http.Header, body string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Basic c2VjcmV0")
	resp, err := w.http.Do(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(data), err
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name   string
		fault  front.Fault
		method string
		status int // 0: an error
		body   string
		header map[string]string
		done   int64
	}{
		{name: "refuse", fault: front.Fault{Kind: front.Refuse}, method: "POST"},
		{name: "lost answer", fault: front.Fault{Kind: front.LoseAnswer}, method: "POST", done: 1},
		{name: "reset mid-body", fault: front.Fault{Kind: front.ResetBody}, method: "GET", done: 1},
		{
			name: "429 with Retry-After", fault: front.Fault{Kind: front.Status, Status: 429, RetryAfter: "7"}, method: "GET",
			status: 429, header: map[string]string{"Retry-After": "7"},
		},
		{
			name: "429 bare", fault: front.Fault{Kind: front.Status, Status: 429}, method: "GET",
			status: 429, header: map[string]string{"Retry-After": ""},
		},
		{name: "503", fault: front.Fault{Kind: front.Status, Status: 503, Body: "down"}, method: "GET", status: 503, body: "down"},
		{
			name: "html", fault: front.Fault{Kind: front.HTML}, method: "GET", status: 200, body: "<!DOCTYPE html>",
			header: map[string]string{"Content-Type": "text/html; charset=utf-8"},
		},
		{
			name: "bad rate headers", fault: front.Fault{Kind: front.BadRateHeaders}, method: "GET", status: 200, done: 1,
			header: map[string]string{"X-Ratelimit-Limit": "many"},
		},
		{name: "truncate", fault: front.Fault{Kind: front.Truncate}, method: "GET", status: 200, done: 1, body: `{"n":1,"slug`},
		{name: "delay", fault: front.Fault{Kind: front.Delay, Delay: time.Millisecond}, method: "GET", status: 200, done: 1},
		{name: "other method", fault: front.Fault{Kind: front.Refuse, Method: "PUT"}, method: "GET", status: 200, done: 1},
		{name: "other path", fault: front.Fault{Kind: front.Refuse, Path: "^/groups"}, method: "GET", status: 200, done: 1},
		{name: "later", fault: front.Fault{Kind: front.Refuse, Nth: 2}, method: "GET", status: 200, done: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, front.Options{})
			if err := w.front.Order(tt.fault); err != nil {
				t.Fatal(err)
			}
			status, header, body, err := w.do(t, tt.method, "/users/ann")
			if (tt.status == 0) != (err != nil) || err == nil && status != tt.status {
				t.Fatalf("have status %d, error %v, want %d", status, err, tt.status)
			}
			if !strings.HasPrefix(body, tt.body) || tt.fault.Kind == front.Truncate && json.Valid([]byte(body)) {
				t.Errorf("have body %q, want %q", body, tt.body)
			}
			for name, want := range tt.header {
				if have := header.Get(name); have != want {
					t.Errorf("%s: have %q, want %q", name, have, want)
				}
			}
			if have := w.did.Load(); have != tt.done {
				t.Errorf("work done %d times, want %d", have, tt.done)
			}
			if tt.fault.Nth < 2 { // the fault hits once
				if status, _, _, err := w.do(t, "GET", "/users/ann"); err != nil || status != 200 {
					t.Errorf("the request after: have %d, %v", status, err)
				}
			}
		})
	}
}

// Over TLS, with HTTP/1.1 and with HTTP/2, the same faults are errors too.
func TestFaultsOverTLS(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		f := front.New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("a body that is long enough to be cut"))
		}), front.Options{})
		server := httptest.NewUnstartedServer(f)
		server.EnableHTTP2 = h2
		server.StartTLS()
		t.Cleanup(server.Close)
		for _, kind := range []front.Kind{front.Refuse, front.LoseAnswer, front.ResetBody} {
			if err := f.Order(front.Fault{Kind: kind, Times: 3}); err != nil { // a client may try again by itself
				t.Fatal(err)
			}
			if resp, err := server.Client().Post(server.URL, "text/plain", strings.NewReader("x")); err == nil {
				if _, err := io.ReadAll(resp.Body); err == nil {
					t.Errorf("%s, HTTP/2 %t: no error", kind, h2)
				}
				_ = resp.Body.Close()
			}
			f.ClearFaults()
			resp, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatalf("%s, HTTP/2 %t: afterwards: %v", kind, h2, err)
			}
			if _, err := io.ReadAll(resp.Body); err != nil || (resp.ProtoMajor == 2) != h2 {
				t.Errorf("%s: %v, %s", kind, err, resp.Proto)
			}
			_ = resp.Body.Close()
		}
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	w := newWorld(t, front.Options{})
	if err := w.front.Order(front.Fault{Kind: front.Hang}); err != nil {
		t.Fatal(err)
	}
	w.http.Timeout = 50 * time.Millisecond
	if _, _, _, err := w.do(t, "POST", "/users/ann"); err == nil {
		t.Error("answered")
	}
	if w.did.Load() != 1 {
		t.Error("the work was not done")
	}
}

func TestStaleAndRepeat(t *testing.T) {
	for _, tt := range []struct {
		kind front.Kind
		want string // the third answer, to ?start=5 again
	}{{front.Stale, `{"n":2,"slug":"ann","start":"5"}`}, {front.Repeat, `{"n":2,"slug":"ann","start":"5"}`}} {
		w := newWorld(t, front.Options{})
		if err := w.front.Order(front.Fault{Kind: tt.kind, Nth: 3, Times: 2}); err != nil {
			t.Fatal(err)
		}
		var have string
		for _, q := range []string{"0", "5", "5"} {
			_, _, have, _ = w.do(t, "GET", "/users/ann?start="+q)
		}
		if strings.TrimSpace(have) != tt.want {
			t.Errorf("%s: have %s, want %s", tt.kind, have, tt.want)
		}
		_, _, have, _ = w.do(t, "GET", "/users/ann?start=10")
		if repeated := strings.TrimSpace(have) == tt.want; repeated != (tt.kind == front.Repeat) {
			t.Errorf("%s of another page: have %s", tt.kind, have)
		}
	}
}

func TestCallSurroundsTheWork(t *testing.T) {
	w := newWorld(t, front.Options{})
	var before, after int64 = -1, -1
	err := w.front.Order(front.Fault{
		Kind:   front.Call,
		Before: func(*http.Request) { before = w.did.Load() }, After: func(*http.Request) { after = w.did.Load() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := w.do(t, "GET", "/users/ann"); err != nil {
		t.Fatal(err)
	}
	if before != 0 || after != 1 {
		t.Errorf("have before %d, after %d", before, after)
	}
}

func TestCountsAndLogHoldNoSecrets(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, front.Options{Name: "bitbucket", Log: &log})
	for _, path := range []string{"/users/ann?password=hunter2&name=ann", "/users/bob?hunter2", "/nowhere"} {
		if _, _, _, err := w.do(t, "GET", path); err != nil {
			t.Fatal(err)
		}
	}
	w.http.CloseIdleConnections()
	want := front.Counts{Total: 3, Routes: map[string]int{"GET /users/{slug}": 2, "GET /nowhere": 1}}
	if diff := cmp.Diff(want, w.front.Counts()); diff != "" {
		t.Error(diff)
	}
	if s := log.String(); strings.Contains(s, "hunter2") || strings.Contains(s, "c2VjcmV0") ||
		!strings.Contains(s, " bitbucket GET /users/ann?name=&password= 200 ") {
		t.Errorf("log:\n%s", s)
	}
	w.front.ResetCounts()
	if have := w.front.Counts().Total; have != 0 {
		t.Errorf("have %d after reset", have)
	}
}

func TestRateLimit(t *testing.T) {
	now := time.Now()
	w := newWorld(t, front.Options{
		Rate: front.Rate{PerSecond: 0.5, Burst: 2}, Now: func() time.Time { return now },
		Announce: func(h http.Header, b front.Bucket) { h.Set("X-Left", string(rune('0'+b.Remaining))) },
	})
	for _, want := range []string{"1", "0"} {
		status, header, _, err := w.do(t, "GET", "/users/ann")
		if err != nil || status != 200 || header.Get("X-Left") != want {
			t.Fatalf("have %d, %v, left %q, want %s", status, err, header.Get("X-Left"), want)
		}
	}
	status, header, _, _ := w.do(t, "GET", "/users/ann")
	if status != 429 || header.Get("Retry-After") != "2" {
		t.Errorf("have %d, Retry-After %q", status, header.Get("Retry-After"))
	}
	now = now.Add(2 * time.Second)
	if status, _, _, _ := w.do(t, "GET", "/users/ann"); status != 200 {
		t.Errorf("after the wait: %d", status)
	}
	resp, err := http.Get(w.url + "/users/ann") //nolint:noctx // another credential: none
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("another credential: %v, %v", resp, err)
	}
	_ = resp.Body.Close()
}

func TestAdmin(t *testing.T) {
	w := newWorld(t, front.Options{})
	admin := httptest.NewServer(w.front.Admin())
	t.Cleanup(admin.Close)
	ask := func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, admin.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(data)
	}
	if status, text := ask("POST", "/faults", `[{"kind":"status","status":503,"path":"ann","delay":"3ms"}]`); status != 204 {
		t.Fatalf("order: %d %s", status, text)
	}
	for _, bad := range []string{`[{"kind":"rain"}]`, `[{"kind":"refuse","path":"("}]`, `[{"kind":"status"}]`, `{}`} {
		if status, _ := ask("POST", "/faults", bad); status != 400 {
			t.Errorf("%s: have %d", bad, status)
		}
	}
	if status, _, _, _ := w.do(t, "GET", "/users/ann"); status != 503 {
		t.Errorf("have %d", status)
	}
	_, text := ask("GET", "/faults", "")
	var have []front.Ordered
	if err := json.Unmarshal([]byte(text), &have); err != nil || len(have) != 1 || have[0].Seen != 1 || have[0].Fired != 1 {
		t.Errorf("faults: %s", text)
	}
	if _, text := ask("GET", "/counts", ""); !strings.Contains(text, `"total":1`) {
		t.Errorf("counts: %s", text)
	}
	for _, path := range []string{"/counts", "/faults"} {
		if status, _ := ask("DELETE", path, ""); status != 204 {
			t.Errorf("delete %s: %d", path, status)
		}
	}
	if have := w.front.Faults(); len(have) != 0 {
		t.Errorf("have %v after delete", have)
	}
	if status, text := ask("PUT", "/pace", `{"rate":{"perSecond":0.001,"burst":1}}`); status != 204 {
		t.Errorf("pace: %d %s", status, text)
	}
	_, _, _, _ = w.do(t, "GET", "/users/ann")
	if status, _, _, _ := w.do(t, "GET", "/users/ann"); status != 429 {
		t.Errorf("paced: %d", status)
	}
}
