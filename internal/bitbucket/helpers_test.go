package bitbucket

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bbsync/bbsync/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "pa55word-canary"

// fixture returns an answer of testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// recorded returns an answer that was kept with its headers.
func recorded(t testing.TB, name string) answer {
	t.Helper()
	text := strings.Replace(string(fixture(t, name)), "HTTP/1.1 401 \n", "HTTP/1.1 401 Unauthorized\n", 1)
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return answer{r.StatusCode, r.Header, body.Bytes()}
}

// script is a server that answers each request with the next of its steps, the
// last one for ever, and remembers what it was asked.
type script struct {
	mu    sync.Mutex
	steps []http.HandlerFunc
	asked []string
	url   string
}

func newScript(t *testing.T, steps ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{steps: steps}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
	step := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	s.mu.Unlock()
	step(w, r)
}

// count returns how many requests came.
func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// says is a step that answers with a status and a body, and headers in pairs.
func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hangsUp is a step that closes the connection without an answer.
func hangsUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// breaksOff is a step that closes the connection in the middle of the body.
func breaksOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"values":[`))
	panic(http.ErrAbortHandler)
}

const page200 = "<!DOCTYPE html><html><head><title>Corp SSO\x1b[2J</title></head><body>Log in</body></html>"

func client(t *testing.T, url string, edit ...func(*Config)) *Client {
	t.Helper()
	config := Config{
		URL: url, Username: "admin", Password: secret.New(password),
		Timeout: 20 * time.Second, Backoff: time.Millisecond,
	}
	for _, e := range edit {
		e(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func pemOf(certificate []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}
