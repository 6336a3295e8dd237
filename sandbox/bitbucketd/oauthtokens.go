package bitbucketd

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// How long OAuth tokens live.
const (
	requestTokenLife = 600 * time.Second
	accessTokenLife  = 157680000 * time.Second           // five years
	sessionLifeOAuth = accessTokenLife + 30*24*time.Hour // in which an access token can be renewed
)

// RequestToken is a consumer's wish for a user's consent.
type RequestToken struct {
	Token    string `json:"token"`
	Secret   string `json:"secret"`
	Consumer string `json:"consumer"`
	Callback string `json:"callback"` // "": none was given (OAuth 1.0); "oob": show the verifier
	Created  int64  `json:"created"`
	User     string `json:"user"`     // who answered, lower case; "": nobody yet
	Verifier string `json:"verifier"` // of consent
	Denied   bool   `json:"denied"`
	Used     bool   `json:"used"` // swapped for an access token
}

// AccessToken lets a consumer act as a user.
type AccessToken struct {
	Token    string `json:"token"`
	Secret   string `json:"secret"`
	Handle   string `json:"handle"` // for renewal
	Consumer string `json:"consumer"`
	User     string `json:"user"` // lower case
	Created  int64  `json:"created"`
}

func (t *RequestToken) expired(now time.Time) bool {
	return now.After(time.UnixMilli(t.Created).Add(requestTokenLife))
}

func (t *AccessToken) expired(now time.Time) bool {
	return now.After(time.UnixMilli(t.Created).Add(accessTokenLife))
}

// signed takes the caller from a signed REST call: the user who gave consent.
func (c *call) signed() error {
	s, err := c.verify("oauth_token")
	if err != nil {
		return err
	}
	t := c.st.AccessTokens[s.token]
	switch {
	case t == nil || t.Consumer != s.consumer.Key:
		return c.problem("token_rejected")
	case t.expired(c.now()):
		return c.problem("token_expired")
	}
	u := c.st.Users[t.User]
	if u == nil || u.Inactive {
		return c.problem("permission_denied")
	}
	c.who = actor{user: u, by: byOAuth}
	c.dropSession() // a signed call ends the session it comes with
	return nil
}

// requestToken serves POST /plugins/servlet/oauth/request-token.
func requestToken(c *call) (reply, error) {
	s, err := c.verify()
	if err != nil {
		return reply{}, err
	}
	callback := s.one("oauth_callback")
	if u, err := url.Parse(callback); callback != "" && callback != "oob" &&
		(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return reply{}, c.problem("parameter_rejected", "oauth_parameters_rejected", "oauth_callback")
	}
	c.dropOld()
	t := &RequestToken{Token: random(16), Secret: random(16), Consumer: s.consumer.Key, Callback: callback, Created: c.now().UnixMilli()}
	c.st.RequestTokens[t.Token] = t
	c.wrote("oauth request token for consumer %s made", t.Consumer)
	answer := "oauth_token=" + t.Token + "&oauth_token_secret=" + t.Secret
	if callback != "" {
		answer += "&oauth_callback_confirmed=true"
	}
	return reply{text: answer, media: "text/plain;charset=UTF-8"}, nil
}

// dropOld forgets request tokens some time after their end: for a while the server
// must still say that they have expired.
func (c *call) dropOld() {
	for id, t := range c.st.RequestTokens {
		if c.now().After(time.UnixMilli(t.Created).Add(24 * time.Hour)) {
			delete(c.st.RequestTokens, id)
		}
	}
}

// accessToken serves POST /plugins/servlet/oauth/access-token: a request token with
// consent, or an access token with its session handle, for a new access token.
func accessToken(c *call) (reply, error) {
	s, err := c.verify("oauth_token")
	if err != nil {
		return reply{}, err
	}
	if handle := s.one("oauth_session_handle"); handle != "" {
		return c.renew(s, handle)
	}
	t := c.st.RequestTokens[s.token]
	if err := c.swappable(t, s); err != nil {
		return reply{}, err
	}
	t.Used = true
	return c.issue(t.User, t.Consumer), nil
}

func (c *call) swappable(t *RequestToken, s *signedRequest) error {
	switch {
	case t == nil || t.Consumer != s.consumer.Key:
		return c.problem("token_rejected")
	case t.Used:
		return c.problem("token_used")
	case t.expired(c.now()):
		return c.problem("token_expired")
	case t.Denied:
		return c.problem("permission_denied")
	case t.User == "":
		return c.problem("permission_unknown")
	case t.Callback != "" && s.one("oauth_verifier") == "":
		return c.problem("parameter_absent", "oauth_parameters_absent", "oauth_verifier")
	case t.Callback != "" && s.one("oauth_verifier") != t.Verifier:
		return c.problem("token_rejected")
	}
	return nil
}

func (c *call) renew(s *signedRequest, handle string) (reply, error) {
	t := c.st.AccessTokens[s.token]
	switch {
	case t == nil || t.Consumer != s.consumer.Key || t.Handle != handle:
		return reply{}, c.problem("token_rejected")
	case c.now().After(time.UnixMilli(t.Created).Add(sessionLifeOAuth)):
		return reply{}, c.problem("token_expired")
	}
	delete(c.st.AccessTokens, t.Token)
	return c.issue(t.User, t.Consumer), nil
}

func (c *call) issue(user, consumer string) reply {
	t := &AccessToken{Token: random(16), Secret: random(16), Handle: random(16), Consumer: consumer, User: user, Created: c.now().UnixMilli()}
	c.st.AccessTokens[t.Token] = t
	c.wrote("oauth access token of %s for consumer %s issued", user, consumer)
	return reply{media: "text/plain;charset=UTF-8", text: strings.Join([]string{
		"oauth_token=" + t.Token, "oauth_token_secret=" + t.Secret,
		"oauth_expires_in=" + strconv.FormatInt(int64(accessTokenLife/time.Second), 10),
		"oauth_session_handle=" + t.Handle,
		"oauth_authorization_expires_in=" + strconv.FormatInt(int64(sessionLifeOAuth/time.Second), 10),
	}, "&")}
}
