package bitbucket

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// A session is a login whose cookies are the credential. It does not change: an
// elevated one is another session with the same cookies.
type session struct {
	jar          http.CookieJar // the server's cookies and those of load balancers in front of it
	began        time.Time
	elevated     time.Time    // when the secure administrator session began; zero: there is none
	raisedBy     elevation    // how it was elevated; nil: it was not
	secondFactor bool         // it was opened with a code
	unnamed      *atomic.Bool // answers need not name the account
}

// elevationRenewal is the age at which a secure administrator session is renewed.
// It ends after 10 minutes; whether requests prolong it is not documented.
const elevationRenewal = 8 * time.Minute

func newSession(now time.Time) (*session, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("making a place for the session's cookies: %w", err)
	}
	return &session{jar: jar, began: now, unnamed: &atomic.Bool{}}, nil
}

// endsSoon reports whether the secure administrator session is to be renewed.
func (s *session) endsSoon(now time.Time) bool {
	return s != nil && !s.elevated.IsZero() && now.Sub(s.elevated) >= elevationRenewal
}

func (s *session) elevatedBy(way elevation, now time.Time) *session {
	next := *s
	next.raisedBy, next.elevated = way, now
	return &next
}

// carry adds the session's cookies to a request.
func (s *session) carry(r *http.Request) {
	for _, cookie := range s.jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
}

// keep takes the cookies of an answer.
func (s *session) keep(u *url.URL, h http.Header) {
	s.jar.SetCookies(u, (&http.Response{Header: h}).Cookies())
}

// secrets returns the values of the cookies that a request carries.
func (s *session) secrets(r *http.Request) []secret.Text {
	var all []secret.Text
	for _, cookie := range s.jar.Cookies(r.URL) {
		all = append(all, secret.New(cookie.Value))
	}
	return all
}

// opened reports whether Bitbucket knows the session. It asks for what is served
// to everybody: the answer names the account, or it does not.
func (c *Client) opened(ctx context.Context, s *session) (bool, error) {
	q := call{op: "checking the session of", object: quote(c.username) + " at " + c.URL(), path: "/rest/api/1.0/application-properties", anonymous: true, session: s}
	a, err := c.send(ctx, q)
	switch {
	case err != nil:
		return false, err
	case !q.success(a.status):
		return false, c.unsent(c.refusal(q, a))
	}
	return named(a), nil
}

// minSession is the age from which on a session that is lost is opened again. One
// that is lost earlier was not kept, and another would not be either.
const minSession = time.Minute

// openChecks is how often a session must be known in a row before answers that do
// not name the account are taken for the account's: behind a load balancer that
// is not sticky, every other request finds the session.
const openChecks = 5

// keepOrReopen looks into an answer that did not name the account. A session that
// Bitbucket still knows stays.
func (c *Client) keepOrReopen(ctx context.Context, was *session) (*session, error) {
	for range openChecks {
		open, err := c.opened(ctx, was)
		switch {
		case err != nil:
			return nil, err
		case !open:
			return c.reopen(ctx, was)
		}
	}
	was.unnamed.Store(true)
	return was, nil
}

// reopen opens a new session for one that is over.
func (c *Client) reopen(ctx context.Context, was *session) (*session, error) {
	if c.now().Sub(was.began) < minSession {
		return nil, c.sessionLost("Bitbucket no longer knows the session that it opened a moment ago")
	}
	return c.openSession(ctx)
}

func (c *Client) sessionLost(message string) *Error {
	e := c.fault(loginCall(c))
	e.kind, e.undone, e.Messages = ErrSessionLost, true, []string{message}
	e.Advice = adviseSticky
	return e
}

// logoutPath ends a session. It is not documented; seen in browsers' links.
const logoutPath = "/j_atl_security_logout"

// logoutTime bounds how long the end of a run waits for the logout.
const logoutTime = 5 * time.Second

// logOut ends the session, if there is one. Where that fails, Bitbucket ends it 30
// minutes later by itself.
func (c *Client) logOut() {
	s := c.login.current()
	if s == nil {
		return
	}
	c.login.note(nil, nil)
	ctx, cancel := context.WithTimeout(context.Background(), logoutTime)
	defer cancel()
	_, _ = c.send(ctx, call{path: logoutPath, accept: "*/*", anonymous: true, session: s})
}
