package bitbucketd

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
)

// actor is who makes a call, and by what means.
type actor struct {
	user    *User // nil: anonymous
	by      means
	token   *HTTPToken // of byToken
	session *session   // of bySession
}

type means int

const (
	byNothing means = iota
	byBasic
	byToken // an HTTP access token, as Bearer or as Basic password
	byOAuth
	bySession
	byPlay // a person whom the sandbox plays
)

// authenticate finds out who calls. Wrong credentials are refused even where none
// are needed.
func (c *call) authenticate(k kind) error {
	if c.played() {
		return nil
	}
	if err := c.basicFilter(); err != nil {
		return err
	}
	scheme, value, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		return c.basic(k, value)
	case "bearer":
		return c.bearer(k, value)
	case "oauth":
		if c.isOAuthServlet() {
			return nil // it verifies the signature itself
		}
		return c.signed()
	}
	c.sessionUser()
	return nil
}

func (c *call) isOAuthServlet() bool {
	return strings.HasPrefix(c.r.URL.Path, "/plugins/servlet/oauth/")
}

func (c *call) basic(k kind, value string) error {
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	name, password, ok := strings.Cut(string(data), ":")
	if err != nil || !ok {
		return badPassword()
	}
	u := c.st.User(name)
	if t := c.httpToken(password); t != nil && u != nil && t.User == strings.ToLower(u.Name) {
		if k == servletKind && c.version.confinesTokens() {
			return c.password(u, password) // it is none: each try counts towards the CAPTCHA
		}
		c.who = actor{user: u, by: byToken, token: t}
		return nil
	}
	if err := c.password(u, password); err != nil {
		return err
	}
	c.who = actor{user: u, by: byBasic}
	return nil
}

func badPassword() error {
	no := coreError(http.StatusUnauthorized, "", badPasswordException, authenticationFailed)
	no.header = http.Header{"Www-Authenticate": {basicChallenge}}
	return &refusal{no}
}

// password checks a password and keeps the count that leads to a CAPTCHA: once it
// is asked for, even the right password is refused.
func (c *call) password(u *User, password string) error {
	if u == nil || u.Inactive {
		return badPassword()
	}
	if c.locked(u) {
		no := coreError(http.StatusUnauthorized, "", captchaException, captchaText(c.base.String()))
		no.header = http.Header{"Www-Authenticate": {basicChallenge}}
		return &refusal{no}
	}
	if subtle.ConstantTimeCompare([]byte(digest(u.Salt, password)), []byte(u.Password)) != 1 {
		u.Failures++
		return badPassword()
	}
	u.Failures = 0
	u.LastLogin = c.now().UnixMilli()
	return nil
}

// locked reports whether the account must solve a CAPTCHA first.
func (c *call) locked(u *User) bool { return u != nil && u.Failures >= c.opts.CaptchaAfter }

func captchaText(base string) string {
	return "CAPTCHA required. Your Bitbucket account has been locked. To unlock it and log in again you must solve a CAPTCHA. " +
		"This is typically caused by too many attempts to login with an incorrect password. The account lock prevents your SCM " +
		"client from accessing Bitbucket and its mirrors until it is solved, even if you enter your password correctly.\n\n" +
		"If you are currently logged in to Bitbucket via a browser you may need to logout and then log back in in order to solve " +
		"the CAPTCHA.\n\nVisit Bitbucket at " + base + " for more details."
}

func (c *call) bearer(k kind, value string) error {
	if k == servletKind && c.version.confinesTokens() {
		return &refusal{c.toLogin()}
	}
	t := c.httpToken(strings.TrimSpace(value))
	if t == nil {
		return badPassword()
	}
	u := c.st.Users[t.User]
	if u == nil || u.Inactive {
		return badPassword()
	}
	c.who = actor{user: u, by: byToken, token: t}
	return nil
}

// httpToken returns the living token of that text, or nil.
func (c *call) httpToken(text string) *HTTPToken {
	if !c.version.hasHTTPTokens() {
		return nil
	}
	hash := digest("token", text)
	for _, t := range c.st.HTTPTokens {
		if t.Hash == hash && (t.Expires == 0 || c.now().UnixMilli() < t.Expires) {
			return t
		}
	}
	return nil
}
