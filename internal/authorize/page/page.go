// Package page shows what waits for a person on a page of its own: every
// connection with its state as it changes, and one button each. The page is
// served on loopback below a path that cannot be guessed, and loads nothing from
// elsewhere. It shows and it opens links; it holds no secret, and it can change
// nothing.
package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/bbsync/bbsync/internal/authorize"
)

// A Server serves one page for one Watch.
type Server struct {
	*local
	watch   *authorize.Watch
	over    chan struct{}
	closing sync.Once
	closed  error
}

// Open begins to serve. Close ends it.
func Open(ctx context.Context, watch *authorize.Watch) (*Server, error) {
	s := &Server{watch: watch, over: make(chan struct{})}
	var err error
	s.local, err = listen(ctx, s.routes())
	return s, err
}

// Close tells an open page that all is over, and stops serving.
func (s *Server) Close() error {
	s.closing.Do(func() {
		close(s.over)
		s.closed = s.local.Close()
	})
	return s.closed
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
