package bitbucketd

import (
	"net/http"
	"strings"
	"time"
)

// session is a browser's, or that of a client that logged in as one.
type session struct {
	id       string
	node     int
	user     string // lower case name
	xsrf     string // atl_token
	used     time.Time
	elevated time.Time // end of its secure administrator session (WebSudo)
}

const (
	rememberCookie = "_atl_bitbucket_remember_me"
	rememberLife   = 30 * 24 * time.Hour
)

// sessionCookie is the name of the session cookie. Doubt: which version renamed it.
func (v version) sessionCookie() string {
	if v.since(5, 0, 0) {
		return "BITBUCKETSESSIONID"
	}
	return "JSESSIONID"
}

// sessionUser takes the caller from the session cookie, if there is a living one,
// else from the cookie that remembers a login.
func (c *call) sessionUser() {
	cookie, err := c.r.Cookie(c.version.sessionCookie())
	if err == nil && c.resume(cookie.Value) {
		return
	}
	remembered, err := c.r.Cookie(rememberCookie)
	if err != nil {
		return
	}
	name, ok := c.remembered[remembered.Value]
	delete(c.remembered, remembered.Value) // each is good for one session
	if u := c.st.Users[name]; ok && u != nil && !u.Inactive {
		c.logIn(u, true)
	}
}

// resume continues a session that was not idle for too long.
func (c *call) resume(id string) bool {
	ses := c.sessions[id]
	if ses == nil || ses.node != c.node || c.now().Sub(ses.used) >= c.opts.SessionTimeout {
		return false
	}
	u := c.st.Users[ses.user]
	if u == nil || u.Inactive {
		return false
	}
	ses.used = c.now()
	c.who = actor{user: u, by: bySession, session: ses}
	return true
}

// logIn begins a session, and ends the one that the call came with.
func (c *call) logIn(u *User, remember bool) {
	c.dropSession()
	ses := &session{id: random(16), node: c.node, user: strings.ToLower(u.Name), xsrf: random(20), used: c.now()}
	c.sessions[ses.id] = ses
	c.who = actor{user: u, by: bySession, session: ses}
	c.setCookie(c.version.sessionCookie(), ses.id, 0)
	if remember {
		token := random(20)
		c.remembered[token] = ses.user
		c.setCookie(rememberCookie, token, int(rememberLife/time.Second))
	}
}

// dropSession ends the session that the call came with, if any.
func (c *call) dropSession() {
	if cookie, err := c.r.Cookie(c.version.sessionCookie()); err == nil {
		delete(c.sessions, cookie.Value)
	}
}

// setCookie has a cookie sent with the answer. A maxAge of 0 ends it with the browser.
func (c *call) setCookie(name, value string, maxAge int) {
	c.cookies = append(c.cookies, &http.Cookie{
		Name: name, Value: value, Path: c.base.Path + "/", HttpOnly: true, MaxAge: maxAge,
		Secure: c.base.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}

// logout ends the session and forgets the remembered login.
func logout(c *call) (reply, error) {
	c.dropSession()
	if cookie, err := c.r.Cookie(rememberCookie); err == nil {
		delete(c.remembered, cookie.Value)
	}
	c.who = actor{}
	c.setCookie(c.version.sessionCookie(), "", -1)
	c.setCookie(rememberCookie, "", -1)
	return redirect(c.base.Path + "/login"), nil
}

// EndSessions ends all sessions, as a restart does. Who is remembered gets a new one.
func (s *Server) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
	clear(s.conversations)
}
