package page

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

//go:embed files
var files embed.FS

// policy allows the page's own files and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// lastWords is how long the page has to hear that all is over.
const lastWords = 2 * time.Second

// A local serves pages to this machine alone, below a path that cannot be guessed.
type local struct {
	listener net.Listener
	server   *http.Server
	secret   string
	served   chan error
}

func listen(ctx context.Context, routes http.Handler) (*local, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving the page: %w", err)
	}
	l := &local{listener: listener, secret: rand.Text() + rand.Text(), served: make(chan error, 1)}
	l.server = &http.Server{Handler: l.guard(routes), ReadHeaderTimeout: 10 * time.Second}
	go func() { l.served <- l.server.Serve(listener) }()
	return l, nil
}

// URL is the page's address. Who knows it sees what waits, and no more.
func (l *local) URL() string { return "http://" + l.host() + "/" + l.secret + "/" }

func (l *local) host() string { return l.listener.Addr().String() }

// Close lets requests finish and stops serving.
func (l *local) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		_ = l.server.Close() // a browser that did not hang up
	}
	if err := <-l.served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the page: %w", err)
	}
	return nil
}

// guard lets through what asks for this host, which defeats a name that
// somebody points at loopback, and for the secret path.
func (l *local) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer") // the path is nobody else's to know
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Host != l.host() {
			http.Error(w, "this page is at another address", http.StatusMisdirectedRequest)
			return
		}
		secret, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if subtle.ConstantTimeCompare([]byte(secret), []byte(l.secret)) != 1 {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = "/" + rest
		next.ServeHTTP(w, r)
	})
}
