package httpx_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bbsync/bbsync/internal/httpx"
)

// TestBodiesAreApart reads answers of many lengths, and checks them when all have
// been read: buffers are reused, bodies are not.
func TestBodiesAreApart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := pattern(r.URL.Query())
		if r.URL.Query().Has("announced") {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		} else {
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	transport, err := httpx.New(httpx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	answers := map[string]*http.Response{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for i, size := range []int{0, 1, 5_000, 200_000, 3, 70_000, 64 << 10, 512, 20_000, 0, 9_000} {
		for _, announced := range []string{"", "&announced"} {
			address := fmt.Sprintf("%s/?size=%d&letter=%c%s", server.URL, size, 'a'+i, announced)
			group.Go(func() {
				for n := range 3 {
					resp, err := transport.Client().Get(address)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					answers[fmt.Sprintf("%s&n=%d", address, n)] = resp
					mu.Unlock()
				}
			})
		}
	}
	group.Wait()
	for address, resp := range answers {
		body, err := httpx.Bytes(resp.Body)
		if err != nil || string(body) != pattern(resp.Request.URL.Query()) {
			t.Errorf("%s: %d bytes that begin with %.20q, %v", address, len(body), body, err)
		}
	}
}

func pattern(query map[string][]string) string {
	size, _ := strconv.Atoi(query["size"][0])
	return strings.Repeat(query["letter"][0], size)
}
