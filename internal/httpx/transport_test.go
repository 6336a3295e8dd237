package httpx_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/httpx/goaway"
	"github.com/bbsync/bbsync/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask sends one request to a server through a Transport.
func ask(ctx context.Context, t *testing.T, h http.HandlerFunc, o httpx.Options) (*http.Response, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	transport, err := httpx.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/path", nil)
	if err != nil {
		t.Fatal(err)
	}
	return transport.Client().Do(req)
}

func TestDeadlineCoversTheBody(t *testing.T) {
	_, err := ask(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begins")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}, httpx.Options{Timeout: 50 * time.Millisecond})
	var timeout *httpx.TimeoutError
	if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	long := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		}
	}
	var large *httpx.TooLargeError
	if _, err := ask(t.Context(), t, long(200), httpx.Options{MaxBody: 1<<20 - 1}); !errors.As(err, &large) {
		t.Errorf("a long success: %v", err)
	}
	for name, ctx := range map[string]context.Context{"": t.Context(), "of its own": httpx.WithMaxBody(t.Context(), 1<<20)} {
		if resp, err := ask(ctx, t, long(200), httpx.Options{MaxBody: 1 << 20}); err != nil || size(t, resp) != 1<<20 {
			t.Errorf("a success at the bound %s: %v", name, err)
		}
	}
	if resp, err := ask(t.Context(), t, long(500), httpx.Options{}); err != nil || size(t, resp) != httpx.MaxRefusal {
		t.Errorf("a long refusal: %v", err)
	}
	listing := httpx.WithListing(t.Context(), 2<<20)
	for n := range 3 {
		_, err := ask(listing, t, long(200), httpx.Options{})
		if (err == nil) != (n < 2) || n == 2 && !errors.As(err, &large) {
			t.Errorf("answer %d of a listing: %v", n, err)
		}
	}
}

func size(t *testing.T, resp *http.Response) int {
	t.Helper()
	body, err := httpx.Bytes(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return len(body)
}

// TestRequestsStayAtTheirOrigin tries everything a redirect may change.
func TestRequestsStayAtTheirOrigin(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(server.Close)
	own, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{
		server.URL: true, "http://other.example": false, "https://" + own.Host: false, "http://127.0.0.1": false, "HTTP://127.0.0.1:" + own.Port(): true,
	} {
		o, err := url.Parse(origin)
		if err != nil {
			t.Fatal(err)
		}
		transport, err := httpx.New(httpx.Options{Origin: o})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/a?token=x", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		asked = 0
		_, err = transport.RoundTrip(req)
		if (err == nil) != want || (asked > 0) != want || err != nil && strings.Contains(err.Error(), "token") {
			t.Errorf("%s: asked %d times, %v", origin, asked, err)
		}
		transport.CloseIdleConnections()
	}
}

func TestRefusalsAreRedacted(t *testing.T) {
	const token = "the-token-of-this-client"
	secrets := func() []secret.Text { return []secret.Text{secret.New("sent-in-the-body")} }
	for name, test := range map[string]struct {
		status int
		media  string
		body   string
		want   string
	}{
		"text":            {403, "text/plain", "no " + token + " sent-in-the-body", "no (redacted) (redacted)"},
		"JSON":            {400, "application/json", `{"a":["\u0074he-token-of-this-client",1.50,null]}`, `{"a":["(redacted)",1.50,null]}`},
		"cut key in JSON": {400, "application/json", `{"a":"-----BEGIN KEY-----MII","b":1}`, `{"a":"(redacted)","b":1}`},
		"page":            {200, "text/html", "<html>" + token, "<html>(redacted)"},
		"success":         {200, "application/json", `"` + token + `"`, `"` + token + `"`},
	} {
		resp, err := ask(httpx.WithSecrets(t.Context(), secrets), t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", test.media)
			w.Header().Set("X-Repeated", token)
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		}, httpx.Options{Redact: httpx.NewRedactor(secret.New(token))})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != test.want {
			t.Errorf("%s: %s, %v", name, body, err)
		}
		if name != "success" && resp.Header.Get("X-Repeated") != "(redacted)" {
			t.Errorf("%s: a header is %s", name, resp.Header.Get("X-Repeated"))
		}
	}
}

// TestCAFileReplacesTheSystems has the one meaning of ca_file.
func TestCAFileReplacesTheSystems(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, test := range map[string]struct {
		ca   []byte
		want string
	}{"its own": {own, ""}, "the system's": {nil, "set ca_file"}, "no PEM": {[]byte("x"), "no certificate"}} {
		have := ""
		transport, err := httpx.New(httpx.Options{CA: test.ca})
		if err == nil {
			var req *http.Request
			if req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil); err != nil {
				t.Fatal(err)
			}
			_, err = transport.RoundTrip(req)
			transport.CloseIdleConnections()
		}
		if err != nil {
			have = fmt.Sprint(err, " ", httpx.Advice(err))
		}
		if !strings.Contains(have, test.want) || (have == "") != (test.want == "") {
			t.Errorf("%s: %s", name, have)
		}
		if name == "the system's" && !httpx.Permanent(err) {
			t.Errorf("%v would be tried again", err)
		}
	}
}

// TestGOAWAYIsRepeated has a proxy that ends the connection and did not process
// the request: net/http may send it again, if the body can be had again.
func TestGOAWAYIsRepeated(t *testing.T) {
	asked := 0
	url, ca := goaway.Server(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	transport, err := httpx.New(httpx.Options{CA: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/x", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestPlainHTTP names a port that speaks plain HTTP, whether the Transport or a client
// of it says so: it is not asked again.
func TestPlainHTTP(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	transport, err := httpx.New(httpx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(server.URL, "http://", "https://", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, send := range map[string]func(*http.Request) (*http.Response, error){
		"transport": transport.RoundTrip, "client": transport.Client().Do,
	} {
		resp, err := send(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !httpx.Permanent(err) || !strings.Contains(httpx.Advice(err), "plain HTTP") {
			t.Errorf("%s: %v, permanent: %t, advice %q", name, err, httpx.Permanent(err), httpx.Advice(err))
		}
	}
}
