package bitbucket

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const loginURL = "https://bbsync.invalid/test"

// allow clicks Allow as the administrator for all that waits.
func allow(t *testing.T, w *world) {
	t.Helper()
	must(t, w.Change("allowing", func(st *bitbucketd.State) error {
		for _, token := range st.RequestTokens {
			if token.User == "" {
				token.User, token.Verifier = "admin", "abc123"
			}
		}
		return nil
	}))
}

// oauthLogin makes a link of bbsync's own, has the administrator allow it, and returns the login.
func oauthLogin(t *testing.T, w *world) OAuth {
	t.Helper()
	ctx, pair := t.Context(), consumerPair(t)
	link, err := w.client.CreateLink(ctx, "bbsync", loginURL)
	must(t, err)
	must(t, w.client.SetConsumer(ctx, link.ID, Consumer{Key: "own", Name: "bbsync", PublicKey: pair.Public}))
	return OAuth{ConsumerKey: "own", PrivateKey: pair.Private, Token: accessToken(t, w, pair).Token}
}

func accessToken(t *testing.T, w *world, pair keys.Pair) AccessToken {
	t.Helper()
	ctx, stranger := t.Context(), client(t, w.BaseURL(), func(c *Config) { c.Username, c.Password = "", secret.Text{} })
	request, err := stranger.RequestToken(ctx, "own", pair.Private, OutOfBand)
	must(t, err)
	if url := stranger.AllowURL(request); url != w.BaseURL()+"/plugins/servlet/oauth/authorize?oauth_token="+request.Token {
		t.Errorf("the page to allow it on: %s", url)
	}
	if _, err := stranger.AccessToken(ctx, "own", pair.Private, request, "abc123"); !errors.Is(err, ErrForbidden) {
		t.Errorf("before anybody allowed it: %v", err)
	}
	allow(t, w)
	access, err := stranger.AccessToken(ctx, "own", pair.Private, request, "abc123")
	must(t, err)
	return access
}

func signedClient(t *testing.T, w *world, login OAuth) *Client {
	t.Helper()
	return client(t, w.BaseURL(), func(c *Config) { c.Password, c.OAuth = secret.Text{}, &login })
}

// All work is done by signed requests, on each version and with Basic authentication
// on or off, and no password is sent.
func TestWorkByOAuth(t *testing.T) {
	work := connectByHand(t)
	for _, version := range []string{"5.3.1", "7.21.0", "8.19.12", "9.4.0", "10.2.1", "10.4.2"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			clock := &skipper{}
			w := newWorld(t, bitbucketd.Options{Version: version, Now: clock.now})
			clock.drive(w.client)
			login := oauthLogin(t, w)
			must(t, w.Change("no password", func(st *bitbucketd.State) error { st.User("admin").Password = ""; return nil }))
			c := signedClient(t, w, login)
			work(t, c)
			must(t, c.AdminSession(t.Context()))
			if name, err := c.Account(t.Context()); err != nil || name != "admin" {
				t.Errorf("account %q, %v", name, err)
			}
			if have := c.LoginState(); !have.OAuth || have.Session {
				t.Errorf("login %+v", have)
			}
		})
	}
}

// What is not known of real servers: whether application links take signed requests,
// and whether these need a secure administrator session.
func TestOAuthOnLinksIsNotCertain(t *testing.T) {
	for name, test := range map[string]struct {
		opts bitbucketd.Options
		kind error
		want string
	}{
		"not on links":  {bitbucketd.Options{Version: "10.4.2", SignedNotOnLinks: true}, ErrForbidden, "does not take requests signed by OAuth 1.0a"},
		"needs WebSudo": {bitbucketd.Options{Version: "10.4.2", SignedNeedsWebSudo: true}, ErrElevation, "feature.websudo=false"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.opts)
			c := signedClient(t, w, oauthLogin(t, w))
			err := c.AdminSession(t.Context())
			if !errors.Is(err, test.kind) || !strings.Contains(fmt.Sprint(err), test.want) || !strings.Contains(fmt.Sprint(err), "take oauth out of admin") {
				t.Errorf("error %v", err)
			}
			if _, err := c.SSHKeys(t.Context(), "svc@tf"); err != nil {
				t.Errorf("other resources: %v", err)
			}
		})
	}
}

// A token that Bitbucket refuses is sent once, and the error says what to do; no
// answer brings it back.
func TestOAuthRefused(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*testing.T, *world, *OAuth)
		want  string
	}{
		"revoked":      {func(t *testing.T, w *world, _ *OAuth) { _, err := w.RevokeTokens("admin"); must(t, err) }, "token_rejected"},
		"link deleted": {func(t *testing.T, w *world, _ *OAuth) { must(t, w.client.DeleteLink(t.Context(), linkID(t, loginURL))) }, "consumer_key_unknown"},
		"another key":  {func(t *testing.T, _ *world, login *OAuth) { login.PrivateKey = consumerPair(t).Private }, "signature_invalid"},
		"user inactive": {func(t *testing.T, w *world, _ *OAuth) {
			must(t, w.Change("leaving", func(st *bitbucketd.State) error { st.User("admin").Inactive = true; return nil }))
		}, "permission_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, bitbucketd.Options{})
			login := oauthLogin(t, w)
			test.spoil(t, w, &login)
			c, before := signedClient(t, w, login), total(w.front)
			for range 3 {
				_, err := c.Links(t.Context())
				if text := fmt.Sprint(err); !errors.Is(err, ErrOAuth) || !strings.Contains(text, test.want) || strings.Contains(text, login.Token.Reveal()) {
					t.Errorf("error %v", err)
				}
			}
			if n := total(w.front) - before; n != 1 {
				t.Errorf("%d requests with a refused token", n)
			}
		})
	}
	w := newWorld(t, bitbucketd.Options{})
	c := signedClient(t, w, oauthLogin(t, w))
	w.SlowClock(time.Hour)
	if _, err := c.Links(t.Context()); !errors.Is(err, ErrOAuth) || !strings.Contains(fmt.Sprint(err), "NTP") {
		t.Errorf("error with another clock: %v", err)
	}
}

func TestAccessTokenEnds(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	login := oauthLogin(t, w)
	access := accessToken(t, w, keys.Pair{Private: login.PrivateKey})
	if years := time.Until(access.Ends).Hours() / 24 / 365; years < 4.9 || years > 5.1 {
		t.Errorf("it ends in %.1f years", years)
	}
}

// A server that answers signed requests as nobody's has OAuth switched off: what it
// shows is what strangers see.
func TestOAuthSwitchedOff(t *testing.T) {
	s := newScript(t, says(200, `{"values":[],"isLastPage":true}`))
	c := client(t, s.url, func(c *Config) {
		c.Password, c.OAuth = secret.Text{}, &OAuth{ConsumerKey: "own", PrivateKey: consumerPair(t).Private, Token: secret.New("token-canary")}
	})
	if _, err := c.SSHKeys(t.Context(), "svc"); !errors.Is(err, ErrForbidden) || !strings.Contains(fmt.Sprint(err), "OAuth 1.0a is not switched off") {
		t.Errorf("error %v", err)
	}
}

func linkID(t *testing.T, url string) string {
	t.Helper()
	id, err := LinkID(url)
	must(t, err)
	return id
}
