// Package bitbucket is the client: the few things bbsync asks of a Bitbucket
// Server or Data Center over REST, OAuth 1.0a and SSH. It narrows Bitbucket's
// interfaces to those questions, settles what a lost or ambiguous answer left
// open, and takes care of the account it uses: a refused password is sent once.
//
// It decides nothing about a fleet, compares no wishes with what is there, and
// keeps no cache. Texts of the server reach errors with control characters
// escaped; names in results are as the server gave them.
package bitbucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/trace"
)

// Config says which Bitbucket, and as whom.
type Config struct {
	URL       string         // canonical base URL with context path
	CA        []byte         // PEM; when set, these authorities are trusted and no others
	Gateway   httpx.Gateway  // what a gateway in front of it wants
	Username  string         // "" for anonymous requests only
	Password  secret.Text    // of an account with global ADMIN: application links take nothing less, and no token
	TOTP      secret.Text    // secret of the account's second factor; empty: none
	OAuth     *OAuth         // used instead of Password; nil: none
	Limiter   *limit.Limiter // of the credential; nil: none
	Timeout   time.Duration  // of one request; zero: 30s
	Backoff   time.Duration  // wait before the first repetition, then doubling; zero: 250ms
	UserAgent string         // zero: "bbsync"
}

// A Client talks to one Bitbucket as one account. It is safe for concurrent use.
type Client struct {
	base     *url.URL // no trailing slash
	username string
	password secret.Text
	agent    string
	timeout  time.Duration
	backoff  time.Duration
	limiter  *limit.Limiter
	http     *http.Client
	oauth    *OAuth          // nil: the login is by password
	signed   *http.Client    // of oauth
	redact   *httpx.Redactor // of what the transport leaves: the headers of successes
	idle     func()          // closes idle connections

	certificates func() []httpx.Certificate

	guard    *credentialGuard
	login    *activeLogin
	codes    *codes // of the second factor; nil: none
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error // until a code of the second factor is new
	clock    clock
	applinks atomic.Pointer[string] // version of the applinks module that answered
}

// New returns a Client. It sends no request.
func New(config Config) (*Client, error) {
	base, err := parseBase(config.URL)
	if err != nil {
		return nil, err
	}
	if config.OAuth == nil && config.Username == "" != config.Password.Empty() {
		return nil, fmt.Errorf("the Bitbucket account needs both a username and a password")
	}
	c := &Client{
		base: base, username: config.Username, password: config.Password, guard: newCredentialGuard(), login: newActiveLogin(), now: time.Now, sleep: httpx.Sleep,
		agent: config.UserAgent, timeout: config.Timeout, backoff: config.Backoff, limiter: config.Limiter,
		redact: httpx.NewRedactor(config.Password, secret.New(config.Username+":"+config.Password.Reveal())),
	}
	if !config.TOTP.Empty() {
		if c.codes, err = newCodes(config.TOTP); err != nil {
			return nil, err
		}
		c.redact.Add(config.TOTP, c.codes.seed)
	}
	if c.agent == "" {
		c.agent = "bbsync"
	}
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	if c.backoff <= 0 {
		c.backoff = 250 * time.Millisecond
	}
	transport, err := httpx.New(httpx.Options{
		Origin: base, CA: config.CA, Gateway: config.Gateway, Timeout: c.timeout, MaxBody: maxBody, UserAgent: c.agent, Redact: c.redact,
	})
	if err != nil {
		return nil, fmt.Errorf("the Bitbucket client: %w", err)
	}
	// REST does not redirect. What does is a wrong base URL, a login page or a
	// proxy: an error that names the place, and no credentials sent there.
	c.http, c.idle, c.certificates = httpx.Client(trace.Transport(transport)), transport.CloseIdleConnections, transport.Certificates
	if c.oauth = config.OAuth; c.oauth != nil {
		c.redact.Add(c.oauth.Token)
		if c.signed, err = c.oauth.signing(c.http.Transport); err != nil {
			return nil, fmt.Errorf("the private key of the Bitbucket login: %w", err)
		}
	}
	return c, nil
}

// Certificates returns the certificates of the connection, which end.
func (c *Client) Certificates() []httpx.Certificate { return c.certificates() }

// URL returns the base URL, without a trailing slash.
func (c *Client) URL() string { return c.base.String() }

// Username returns the account's name.
func (c *Client) Username() string { return c.username }

// Close ends the session, if there is one, and closes idle connections. The Client
// can be used afterwards.
func (c *Client) Close() {
	c.logOut()
	c.idle()
}

func parseBase(text string) (*url.URL, error) {
	base, err := names.BaseURL(text)
	if err != nil {
		return nil, fmt.Errorf("the Bitbucket url: %w", err)
	}
	return url.Parse(base)
}

// advice reads the rate limit headers. Retry-After is what Bitbucket sends with
// a refusal; the others are known from Atlassian's other servers and are not
// certain here, so they count only when all of them make sense.
func advice(h http.Header) limit.Advice {
	fill := limit.Number(h.Get("X-Ratelimit-Fillrate"))
	capacity := limit.Number(h.Get("X-Ratelimit-Limit"))
	interval := limit.Number(h.Get("X-Ratelimit-Interval-Seconds"))
	a := limit.Advice{RetryAfter: limit.Seconds(h.Get("Retry-After"))}
	if fill > 0 && interval > 0 && capacity >= 1 {
		a.Rate = limit.Rate{PerSecond: fill / interval, Burst: int(min(capacity, 10000))}
	}
	return a
}
