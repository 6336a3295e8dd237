// Package page shows what waits for a person on a page of its own: every
// connection with its state as it changes, and one button each. The page is
// served on loopback below a path that cannot be guessed, and loads nothing from
// elsewhere. It shows and it opens links; it holds no secret, and it can change
// nothing.
package page

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/authorize"
)

//go:embed files
var files embed.FS

// policy allows the page's own files and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// lastWords is how long the page has to hear that all is over.
const lastWords = 2 * time.Second

// A Server serves one page for one Watch.
type Server struct {
	watch    *authorize.Watch
	listener net.Listener
	server   *http.Server
	secret   string
	over     chan struct{}
	served   chan error
	closing  sync.Once
	closed   error
}

// Open begins to serve. Close ends it.
func Open(ctx context.Context, watch *authorize.Watch) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving the page: %w", err)
	}
	s := &Server{
		watch: watch, listener: listener, secret: rand.Text() + rand.Text(),
		over: make(chan struct{}), served: make(chan error, 1),
	}
	s.server = &http.Server{Handler: s.guard(s.routes()), ReadHeaderTimeout: 10 * time.Second}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// URL is the page's address. Who knows it sees what waits, and no more.
func (s *Server) URL() string { return "http://" + s.host() + "/" + s.secret + "/" }

func (s *Server) host() string { return s.listener.Addr().String() }

// Close tells an open page that all is over, and stops serving.
func (s *Server) Close() error {
	s.closing.Do(func() { s.closed = s.end() })
	return s.closed
}

func (s *Server) end() error {
	close(s.over)
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		_ = s.server.Close() // a browser that did not hang up
	}
	if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the page: %w", err)
	}
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showPage)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("POST /sent/{i}", s.sent)
	for _, name := range []string{"page.css", "page.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "files/"+name) })
	}
	// A page of elsewhere may not post here.
	return http.NewCrossOriginProtection().Handler(mux)
}

// guard lets through what asks for this host, which defeats a name that
// somebody points at loopback, and for the secret path.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer") // the path is nobody else's to know
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Host != s.host() {
			http.Error(w, "this page is at another address", http.StatusMisdirectedRequest)
			return
		}
		secret, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) != 1 {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = "/" + rest
		next.ServeHTTP(w, r)
	})
}

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := htmlPage(s.view()).Render(r.Context(), w); err != nil {
		return // the browser hung up
	}
}

// sent hears that the person opened a link.
func (s *Server) sent(w http.ResponseWriter, r *http.Request) {
	i, err := strconv.Atoi(r.PathValue("i"))
	if err != nil || i < 0 || i >= len(s.watch.Requests()) {
		http.NotFound(w, r)
		return
	}
	s.watch.Sent(i)
	w.WriteHeader(http.StatusNoContent)
}

// events streams the state of everything, now and at each change, until all is
// over.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		state, changed := s.state()
		text, err := json.Marshal(state)
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil || state.Over {
			return
		}
		select {
		case <-changed:
		case <-s.over:
		case <-r.Context().Done():
			return
		}
	}
}
