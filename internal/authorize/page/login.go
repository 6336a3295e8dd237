package page

import (
	"context"
	"net/http"
	"net/url"
	"sync"
)

// A LoginStep is what the page of a login shows: what to do or what became of it.
type LoginStep struct {
	Text   string
	Button string // "" for none
	Link   string // where the button leads
	Failed bool
}

// A LoginServer serves the page of one login. Bitbucket sends the person's browser back
// to it with the verification code.
type LoginServer struct {
	*local
	answer func(context.Context, url.Values) LoginStep

	mu   sync.Mutex // held while an answer is worked on
	step LoginStep
}

// OpenLogin begins to serve. answer takes what Bitbucket sends back and returns the
// next step. Close ends it.
func OpenLogin(ctx context.Context, answer func(context.Context, url.Values) LoginStep) (*LoginServer, error) {
	s := &LoginServer{answer: answer}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.show)
	mux.HandleFunc("GET /allowed", s.allowed)
	var err error
	s.local, err = listen(ctx, mux)
	return s, err
}

// Callback is the address that Bitbucket sends the browser back to.
func (s *LoginServer) Callback() string { return s.URL() + "allowed" }

// Show sets the step that the page shows.
func (s *LoginServer) Show(step LoginStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step = step
}

func (s *LoginServer) show(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(w, r)
}

// allowed takes what Bitbucket sends back and shows what became of it: in one answer,
// as the program may end after it.
func (s *LoginServer) allowed(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step = s.answer(r.Context(), r.URL.Query())
	s.write(w, r)
}

func (s *LoginServer) write(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", loginPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = loginPage(s.step).Render(r.Context(), w) // else the browser hung up
}

// loginPolicy allows the page's own style and nothing else.
const loginPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// style is the style sheet of all pages.
func style() string {
	css, err := files.ReadFile("files/page.css")
	if err != nil {
		panic(err) // it is compiled in
	}
	return string(css)
}
