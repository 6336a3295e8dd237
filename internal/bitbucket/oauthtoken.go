package bitbucket

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/bbsync/bbsync/internal/secret"
)

// The servlets of Bitbucket's OAuth 1.0a provider.
const (
	requestTokenPath = "/plugins/servlet/oauth/request-token"
	allowPath        = "/plugins/servlet/oauth/authorize"
	accessTokenPath  = "/plugins/servlet/oauth/access-token"
)

// OutOfBand is the callback of those who have none: Bitbucket shows the verification
// code on a page.
const OutOfBand = "oob"

// A RequestToken asks a person to allow something. It lives for ten minutes.
type RequestToken struct {
	Token  string
	Secret secret.Text
}

// RequestToken asks for a request token. callback is where Bitbucket sends the
// person's browser with the verification code, or OutOfBand.
func (c *Client) RequestToken(ctx context.Context, consumerKey string, private secret.Text, callback string) (RequestToken, error) {
	q := call{op: "proving the OAuth consumer", path: requestTokenPath, idempotent: true} // a second token harms no one
	config := oauth1.Config{ConsumerKey: consumerKey, CallbackURL: callback, Endpoint: oauth1.Endpoint{RequestTokenURL: c.base.String() + q.path}}
	var token RequestToken
	_, err := c.exchange(ctx, q, config, private, func(config *oauth1.Config) error {
		text, hidden, err := config.RequestToken()
		token = RequestToken{text, secret.New(hidden)}
		return err
	})
	return token, err
}

// AllowURL is the page on which a person allows what a request token asks for.
func (c *Client) AllowURL(token RequestToken) string {
	return c.base.String() + allowPath + "?" + url.Values{"oauth_token": {token.Token}}.Encode()
}

// An AccessToken lets bbsync act as the person who allowed it.
type AccessToken struct {
	Token secret.Text
	Ends  time.Time // zero: Bitbucket did not say
}

// AccessToken exchanges a request token that a person has allowed. Bitbucket takes
// the code once: after a lost answer a person must allow another one.
func (c *Client) AccessToken(ctx context.Context, consumerKey string, private secret.Text, token RequestToken, code string) (AccessToken, error) {
	q := call{op: "exchanging the OAuth request token of", path: accessTokenPath}
	config := oauth1.Config{ConsumerKey: consumerKey, Endpoint: oauth1.Endpoint{AccessTokenURL: c.base.String() + q.path}}
	var access AccessToken
	a, err := c.exchange(ctx, q, config, private, func(config *oauth1.Config) error {
		text, _, err := config.AccessToken(token.Token, token.Secret.Reveal(), code) // RSA-SHA1 does not use the token's secret
		access.Token = secret.New(text)
		return err
	})
	if err != nil {
		return AccessToken{}, err
	}
	if form, err := url.ParseQuery(string(a.body)); err == nil {
		if seconds, err := strconv.ParseInt(form.Get("oauth_expires_in"), 10, 64); err == nil && seconds > 0 && seconds < maxTokenLife {
			access.Ends = c.now().Add(time.Duration(seconds) * time.Second)
		}
	}
	return access, nil
}

// maxTokenLife in seconds keeps a lifetime within a time.Duration: a hundred years.
const maxTokenLife = 100 * 365 * 24 * 3600
