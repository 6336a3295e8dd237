package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/bbsync/bbsync/internal/secret"
)

const (
	seed       = "JBSWY3DPEHPK3PXP"
	sessionKey = "session-canary-"
	routeKey   = "route-canary"
)

// loginServer is a Bitbucket 10 whose Basic authentication is switched off, as far
// as logins go. It is written from the vendor's documents, as the client is.
type loginServer struct {
	form     bool     // the form of older versions, and no resources of two-step verification
	options  []string // what its login page offers; nil: it does not tell
	step     string   // the step after the password; "" for none
	captcha  bool
	websudo  string // what elevates: page, password, totp, nothing; "" guards nothing
	unsticky bool   // each request reaches another node
	unnamed  bool   // answers to requests of resources do not name the account
	basic    bool   // Basic authentication is allowed

	mu       sync.Mutex
	password string
	asked    map[string]int
	sessions map[string]bool // by cookie: elevated
	codes    []string        // that were used
	clock    skipper
	expired  bool // the next request finds its session gone
	url      string
}

func newLoginServer(t *testing.T, s *loginServer) *loginServer {
	t.Helper()
	s.password, s.asked, s.sessions = password, map[string]int{}, map[string]bool{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *loginServer) count(request string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[request]
}

func (s *loginServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.clock.now().UTC().Format(http.TimeFormat))
	s.asked[r.Method+" "+r.URL.Path]++
	body, _ := io.ReadAll(r.Body)
	user := s.user(r)
	_, _, isBasic := r.BasicAuth()
	answer := func(status int, text string) { says(status, text)(w, r) }
	switch path := r.URL.Path; {
	case isBasic && !s.basic:
		answer(403, `{"message":"Basic Authentication has been disabled on this instance."}`)
	case strings.HasPrefix(path, "/rest/tsv/latest/authenticate") && !s.form:
		s.authenticate(w, answer, path, body)
	case path == "/j_atl_security_check" && s.form:
		if strings.Contains(string(body), "j_password="+s.password+"&") {
			s.open(w)
		}
		w.Header().Set("Location", s.url+"/dashboard")
		answer(302, "")
	case path == "/rest/tsv/latest/sso-management-status" && !s.form:
		answer(401, `{"message":"no"}`)
	case path == "/rest/authconfig/latest/login-options" && s.options != nil:
		answer(200, `{"results":[{"type":"`+strings.Join(s.options, `"},{"type":"`)+`"}]}`)
	case path == "/rest/api/1.0/application-properties":
		s.name(w, user)
		answer(200, `{"version":"10.2.1"}`)
	case path == "/websudo" && user != "", strings.HasPrefix(path, "/rest/tsv/latest/elevate-permissions/"):
		s.elevate(answer, r, user, string(body))
	case path == logoutPath && user != "":
		delete(s.sessions, user)
	case strings.HasPrefix(path, "/rest/tsv/"), strings.HasPrefix(path, "/rest/authconfig/"):
		answer(404, `{"message":"HTTP 404 Not Found","status-code":404,"sub-code":-1}`)
	case strings.HasPrefix(path, "/rest/") && user == "":
		answer(401, `{"errors":[{"message":"not permitted","exceptionName":"com.atlassian.bitbucket.AuthorisationException"}]}`)
	case strings.HasPrefix(path, "/rest/applinks/latest/applicationlink"), strings.HasPrefix(path, "/rest/applinks-oauth"):
		s.guarded(w, answer, user)
	case strings.HasPrefix(path, "/rest/applinks"):
		if !s.unnamed {
			s.name(w, user)
		}
		answer(200, "[]")
	default:
		answer(404, `{"message":"HTTP 404 Not Found","status-code":404,"sub-code":-1}`)
	}
}

func (s *loginServer) guarded(w http.ResponseWriter, answer func(int, string), user string) {
	s.name(w, user)
	if s.websudo != "" && !s.sessions[user] {
		answer(401, `{"message":"This resource requires WebSudo.","status-code":401}`)
		return
	}
	answer(200, `{"consumers":[{"key":"k","name":"n","publicKey":"p"}]}`)
}

func (s *loginServer) authenticate(w http.ResponseWriter, answer func(int, string), path string, body []byte) {
	var in struct{ Username, Password, TOTPCode, ConversationID string }
	_ = json.Unmarshal(body, &in)
	switch {
	case path == "/rest/tsv/latest/authenticate/totp-code":
		if in.ConversationID != "conversation" || !s.takes(in.TOTPCode) {
			answer(401, `{"message":"wrong code `+in.TOTPCode+`"}`)
			return
		}
		s.open(w)
		answer(204, "")
	case in.Username != "admin" || in.Password != s.password || s.captcha:
		answer(401, fmt.Sprintf(`{"captchaRequired":%v,"message":"Invalid %s"}`, s.captcha, in.Password))
	case s.step != "":
		answer(412, `{"conversationId":"conversation","nextLoginStep":"`+s.step+`"}`)
	default:
		s.open(w)
		answer(200, `{"next":"/"}`)
	}
}

// takes reports whether a code is right and was not used.
func (s *loginServer) takes(code string) bool {
	if code == "" || slices.Contains(s.codes, code) || !validCode(code, s.clock.now()) {
		return false
	}
	s.codes = append(s.codes, code)
	return true
}

func validCode(code string, at time.Time) bool {
	want, err := totp.GenerateCode(seed, at)
	return err == nil && code == want
}

func (s *loginServer) open(w http.ResponseWriter) {
	id := fmt.Sprintf("%s%d", sessionKey, len(s.asked)+len(s.sessions))
	s.sessions[id] = false
	http.SetCookie(w, &http.Cookie{Name: "BITBUCKETSESSIONID", Value: id, Path: "/", HttpOnly: true})
	if !s.unsticky {
		http.SetCookie(w, &http.Cookie{Name: "route", Value: routeKey, Path: "/"})
	}
}

// user returns the session of a request, "" for none.
func (s *loginServer) user(r *http.Request) string {
	cookie, err := r.Cookie("BITBUCKETSESSIONID")
	route, routeErr := r.Cookie("route")
	if err != nil || routeErr != nil || route.Value != routeKey {
		return ""
	}
	if s.expired {
		s.expired = false
		delete(s.sessions, cookie.Value)
	}
	if _, known := s.sessions[cookie.Value]; !known {
		return ""
	}
	return cookie.Value
}

func (s *loginServer) name(w http.ResponseWriter, user string) {
	if user != "" {
		w.Header().Set("X-AUSERNAME", "admin")
	}
}

func (s *loginServer) elevate(answer func(int, string), r *http.Request, user, body string) {
	right := strings.Contains(body, s.password)
	switch way := strings.TrimPrefix(r.URL.Path, "/rest/tsv/latest/elevate-permissions/"); {
	case r.Method == http.MethodGet:
		answer(200, `<html><form><input type="hidden" name="atl_token" value="t&amp;oken"><input name="j_password" type="password"></form></html>`)
		return
	case way == "/websudo":
		right = right && s.websudo == "page" && strings.Contains(body, "atl_token=t%26oken")
	case way == "totp":
		var in struct{ TOTPCode string }
		_ = json.Unmarshal([]byte(body), &in)
		right = s.websudo == "totp" && s.takes(in.TOTPCode)
	case way == "password":
		right = right && s.websudo == "password"
	}
	if right {
		s.sessions[user] = true
	}
	answer(204, "")
}

func TestSessionWhereBasicIsSwitchedOff(t *testing.T) {
	for name, test := range map[string]struct {
		server *loginServer
		totp   string
	}{
		"resources":                {&loginServer{}, ""},
		"resources, form offered":  {&loginServer{options: []string{"LOGIN_FORM", "IDP"}}, ""},
		"form":                     {&loginServer{form: true}, ""},
		"second factor":            {&loginServer{step: "TOTP_CODE_VERIFICATION"}, seed},
		"second factor as a URL":   {&loginServer{step: "TOTP_CODE_VERIFICATION"}, "otpauth://totp/Bitbucket:admin?secret=" + seed + "&issuer=Bitbucket"},
		"elevation by page":        {&loginServer{websudo: "page"}, ""},
		"elevation by password":    {&loginServer{websudo: "password"}, ""},
		"elevation, older form":    {&loginServer{form: true, websudo: "page"}, ""},
		"answers without the name": {&loginServer{unnamed: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLoginServer(t, test.server)
			c := client(t, s.url, func(config *Config) { config.TOTP = secret.New(test.totp) })
			for range 3 {
				if _, err := c.Links(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := c.Consumer(t.Context(), "id"); err != nil {
					t.Fatal(err)
				}
			}
			state := c.LoginState()
			if !state.Session || state.SecondFactor != (test.totp != "") || state.Elevated.IsZero() != (s.websudo == "") {
				t.Errorf("login %+v", state)
			}
			if n := s.count("POST /rest/tsv/latest/authenticate") + s.count("POST /j_atl_security_check"); n != 1 {
				t.Errorf("%d logins", n)
			}
			c.Close()
			if len(s.sessions) != 0 {
				t.Error("not logged out")
			}
		})
	}
}

// Parallel requests share one login and one elevation.
func TestSessionIsShared(t *testing.T) {
	s := newLoginServer(t, &loginServer{websudo: "password"})
	c := client(t, s.url)
	together := func() {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := c.Consumer(t.Context(), "id"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	together()
	s.mu.Lock()
	clear(s.sessions) // Bitbucket forgets them, as at a restart
	s.mu.Unlock()
	c.now = func() time.Time { return time.Now().Add(time.Hour) }
	together()
	if logins, raised := s.count("POST /rest/tsv/latest/authenticate"), s.count("POST /rest/tsv/latest/elevate-permissions/password"); logins != 2 || raised != 2 {
		t.Errorf("%d logins, %d elevations, want 2 of each", logins, raised)
	}
}

// An elevation is renewed before it ends, whether or not the server refuses.
func TestElevationIsRenewed(t *testing.T) {
	s := newLoginServer(t, &loginServer{websudo: "password"})
	c := client(t, s.url)
	begin := time.Now()
	for _, at := range [][2]int{{0, 1}, {7, 1}, {8, 2}, {15, 2}, {16, 3}} {
		minutes, want := at[0], at[1]
		c.now = func() time.Time { return begin.Add(time.Duration(minutes) * time.Minute) }
		if _, err := c.Consumer(t.Context(), "id"); err != nil {
			t.Fatal(err)
		}
		if have := s.count("POST /rest/tsv/latest/elevate-permissions/password"); have != want {
			t.Errorf("%d elevations after %d minutes, want %d", have, minutes, want)
		}
	}
}

// A second factor elevates with the next code: the first one was used to log in.
func TestElevationByCode(t *testing.T) {
	s := newLoginServer(t, &loginServer{step: "TOTP_CODE_VERIFICATION", websudo: "totp"})
	c := client(t, s.url, func(config *Config) { config.TOTP = secret.New(seed) })
	s.clock.drive(c)
	if _, err := c.Consumer(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	if len(s.codes) != 2 {
		t.Errorf("codes %v", s.codes)
	}
}

// A skipper is a clock that goes on instead of waiting.
type skipper struct{ ahead atomic.Int64 }

func (k *skipper) now() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) }

func (k *skipper) drive(c *Client) {
	c.now = k.now
	c.sleep = func(_ context.Context, d time.Duration) error {
		k.ahead.Add(int64(d))
		return nil
	}
}

// A code that another run has used is followed by the next one, once.
func TestCodeThatWasUsed(t *testing.T) {
	s := newLoginServer(t, &loginServer{step: "TOTP_CODE_VERIFICATION"})
	for n := range 3 {
		c := client(t, s.url, func(config *Config) { config.TOTP = secret.New(seed) })
		s.clock.drive(c)
		begin := s.clock.ahead.Load()
		if _, err := c.Links(t.Context()); err != nil || (n == 0) != (s.clock.ahead.Load() == begin) {
			t.Errorf("run %d: %v", n, err)
		}
	}
}

// A refused elevation is tried once, and leaves what needs none to the account.
func TestRefusedElevation(t *testing.T) {
	s := newLoginServer(t, &loginServer{websudo: "nothing"})
	c := client(t, s.url)
	for range 3 {
		if _, err := c.Consumer(t.Context(), "id"); !errors.Is(err, ErrElevation) || !strings.Contains(err.Error(), "feature.websudo=false") ||
			!strings.Contains(err.Error(), "reading the OAuth consumer") || !strings.Contains(err.Error(), "POST /websudo answered 204") {
			t.Errorf("error %v", err)
		}
		if _, err := c.Links(t.Context()); err != nil {
			t.Errorf("links: %v", err)
		}
	}
	if n := s.count("POST /websudo"); n != 1 {
		t.Errorf("%d tries", n)
	}
}

// A login that is refused is tried once, whatever asks for it.
func TestRefusedSession(t *testing.T) {
	for name, test := range map[string]struct {
		server *loginServer
		totp   string
		want   error
		text   string
	}{
		"wrong password":         {&loginServer{}, "", ErrCredentials, "check the username and the password"},
		"wrong password, form":   {&loginServer{form: true}, "", ErrCredentials, "may want a CAPTCHA"},
		"captcha":                {&loginServer{captcha: true}, "", ErrCaptcha, "solve the CAPTCHA"},
		"identity provider only": {&loginServer{options: []string{"IDP"}}, "", ErrManualLogin, "allowed-users"},
		"enrolment":              {&loginServer{step: "ENROLLMENT"}, "", ErrManualLogin, "set it up"},
		"no secret":              {&loginServer{step: "TOTP_CODE_VERIFICATION"}, "", ErrManualLogin, "admin { totp"},
		"another step":           {&loginServer{step: "RIDDLE"}, "", ErrManualLogin, `"RIDDLE"`},
		"wrong secret":           {&loginServer{step: "TOTP_CODE_VERIFICATION"}, "AAAAAAAAAAAAAAAA", ErrCredentials, "a code is valid once"},
		"no stickiness":          {&loginServer{unsticky: true}, "", ErrSessionLost, "sticky sessions"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLoginServer(t, test.server)
			if strings.HasPrefix(name, "wrong password") {
				s.password = "another"
			}
			c := client(t, s.url, func(config *Config) { config.TOTP = secret.New(test.totp) })
			s.clock.drive(c)
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					if _, err := c.Links(t.Context()); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
						t.Errorf("error %v, want %v with %q", err, test.want, test.text)
					} else if text := fmt.Sprintf("%v %#v", err, err); strings.Contains(text, password) || strings.Contains(text, seed) {
						t.Errorf("a secret is in %s", text)
					}
				})
			}
			wg.Wait()
			if n := s.count("POST /rest/tsv/latest/authenticate") + s.count("POST /j_atl_security_check"); n > 1 {
				t.Errorf("%d logins", n)
			}
		})
	}
}

// A session that is over is opened again; one that was opened a moment ago is not.
func TestSessionThatEnds(t *testing.T) {
	s := newLoginServer(t, &loginServer{})
	c := client(t, s.url)
	links := func() error { _, err := c.Links(t.Context()); return err }
	must(t, links())
	later := time.Now().Add(40 * time.Minute)
	c.now = func() time.Time { return later }
	s.expired = true
	must(t, links())
	s.expired = true
	for range 2 {
		if err := links(); !errors.Is(err, ErrSessionLost) {
			t.Errorf("lost a moment after it was opened: %v", err)
		}
	}
	if n := s.count("POST /rest/tsv/latest/authenticate"); n != 2 {
		t.Errorf("%d logins", n)
	}
}

// Basic authentication stays where it is allowed: nothing else is asked.
func TestBasicIsKept(t *testing.T) {
	s := newLoginServer(t, &loginServer{basic: true})
	c := client(t, s.url)
	_, _ = c.Links(t.Context())
	if s.count("GET /rest/tsv/latest/sso-management-status") != 0 || c.LoginState().Session {
		t.Error("a session was opened")
	}
}

func TestLoginIsCancelled(t *testing.T) {
	s := newLoginServer(t, &loginServer{})
	c := client(t, s.url)
	<-c.login.turn // another request changes the login
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Links(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	c.login.turn <- struct{}{}
}

// No answer brings back a cookie, a code or the second factor's secret.
func TestNoAnswerBringsBackTheSession(t *testing.T) {
	for name, quote := range quotes() {
		s := newLoginServer(t, &loginServer{step: "TOTP_CODE_VERIFICATION"})
		for _, status := range []int{200, 302, 400, 403, 404, 409, 500} {
			var open bool
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if open {
					cookie := r.Header.Get("Cookie")
					w.Header().Set("X-Arequestid", cookie)
					w.Header().Set("Location", "/?"+cookie)
					w.WriteHeader(status)
					_, _ = io.WriteString(w, quote(cookie))
					return
				}
				s.ServeHTTP(w, r)
			}))
			c := client(t, proxy.URL, func(config *Config) { config.TOTP = secret.New(seed) })
			s.codes = nil
			_, err := c.Links(t.Context())
			must(t, err)
			open = true
			_, err = c.SSHKeys(t.Context(), "svc")
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); err == nil || strings.Contains(text, sessionKey) || strings.Contains(text, routeKey) {
				t.Errorf("%s, %d: %s", name, status, text)
			}
			proxy.Close()
		}
	}
}
