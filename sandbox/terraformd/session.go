package terraformd

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"

	"github.com/bbsync/bbsync/internal/secret"
)

// logins are the browsers' sessions. They live in memory: a restart logs all out.
type logins struct {
	mu       *sync.Mutex
	sessions map[string]*login
}

// login is one browser: first anonymous with a form token, then a user's.
type login struct {
	user     string // name; empty: not logged in
	csrf     string
	returnTo string
	notice   string                // shown once
	pending  map[string]credential // request tokens by client uuid
}

// credential is an OAuth token with its secret.
type credential struct {
	token  secret.Text
	secret secret.Text
}

func newLogins() logins { return logins{mu: &sync.Mutex{}, sessions: map[string]*login{}} }

// cookieName differs between servers, since cookies do not tell ports apart.
func (s *Server) cookieName() string {
	sum := sha256.Sum256([]byte(s.address()))
	return "_terraform_session_" + hex.EncodeToString(sum[:4])
}

// session finds the browser's session, or begins an anonymous one.
func (s *Server) session(w http.ResponseWriter, r *http.Request) *login {
	if cookie, err := r.Cookie(s.cookieName()); err == nil {
		s.logins.mu.Lock()
		found := s.logins.sessions[cookie.Value]
		s.logins.mu.Unlock()
		if found != nil {
			return found
		}
	}
	return s.begin(w, &login{csrf: randomHex(16)})
}

// begin starts a session under a new id.
func (s *Server) begin(w http.ResponseWriter, l *login) *login {
	id := randomHex(32)
	l.pending = map[string]credential{}
	s.logins.mu.Lock()
	s.logins.sessions[id] = l
	s.logins.mu.Unlock()
	// Lax, because the way back from Bitbucket is a navigation from another site.
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(s.address(), "https:"),
	})
	return l
}

// loggedIn returns the user of the session. Without one it sends the browser to
// the login page, from where it comes back, and returns false.
func (s *Server) loggedIn(w http.ResponseWriter, r *http.Request) (*login, *user, bool) {
	l := s.session(w, r)
	s.mu.RLock()
	u := s.index.users[l.user]
	s.mu.RUnlock()
	if u != nil {
		return l, u, true
	}
	s.logins.mu.Lock()
	l.returnTo = r.URL.RequestURI()
	s.logins.mu.Unlock()
	http.Redirect(w, r, "/session", http.StatusFound)
	return nil, nil, false
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	l := s.session(w, r)
	s.show(w, http.StatusOK, loginPage(loginView{CSRF: l.csrf}))
}

func (s *Server) logIn(w http.ResponseWriter, r *http.Request) {
	l := s.session(w, r)
	if !l.owns(r) {
		s.show(w, http.StatusUnprocessableEntity, loginPage(loginView{CSRF: l.csrf, Problem: "The form is too old. Try again."}))
		return
	}
	name, password := r.PostFormValue("user[login]"), secret.New(r.PostFormValue("user[password]"))
	u := s.userNamed(name)
	if u == nil || u.Password.Empty() || !u.Password.Equal(password) {
		s.show(w, http.StatusUnprocessableEntity, loginPage(loginView{CSRF: l.csrf, Name: name, Problem: "Invalid username, email or password."}))
		return
	}
	s.logins.mu.Lock()
	to := l.returnTo
	s.logins.mu.Unlock()
	if to == "" {
		to = "/app"
	}
	s.drop(r)
	s.begin(w, &login{user: u.Name, csrf: randomHex(16)})
	http.Redirect(w, r, to, http.StatusFound)
}

// userNamed finds a user by name or email.
func (s *Server) userNamed(name string) *user {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u := s.index.users[name]; u != nil {
		return u
	}
	for _, u := range s.state.Users {
		if name != "" && strings.EqualFold(u.Email, name) {
			return u
		}
	}
	return nil
}

func (s *Server) logOut(w http.ResponseWriter, r *http.Request) {
	if l := s.session(w, r); l.owns(r) {
		s.drop(r)
	}
	http.Redirect(w, r, "/session", http.StatusFound)
}

func (s *Server) drop(r *http.Request) {
	if cookie, err := r.Cookie(s.cookieName()); err == nil {
		s.logins.mu.Lock()
		delete(s.logins.sessions, cookie.Value)
		s.logins.mu.Unlock()
	}
}

// owns reports whether the posted form is one that this session was shown.
func (l *login) owns(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.PostFormValue("authenticity_token")), []byte(l.csrf)) == 1
}
