package bitbucket

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// An OAuth is a login by OAuth 1.0a: a consumer of bbsync's own and the token with
// which it acts as the administrator who allowed that.
type OAuth struct {
	ConsumerKey string
	PrivateKey  secret.Text // PEM; signs every request
	Token       secret.Text
	Made, Ends  time.Time // zero: not known
}

// signing returns a client whose requests are signed and sent by transport. Each
// attempt is signed by itself: a nonce counts once.
func (o OAuth) signing(transport http.RoundTripper) (*http.Client, error) {
	key, err := keys.ParseRSA(o.PrivateKey)
	if err != nil {
		return nil, err
	}
	config := oauth1.Config{ConsumerKey: o.ConsumerKey, Signer: &oauth1.RSASigner{PrivateKey: key}}
	base := context.WithValue(context.Background(), oauth1.HTTPClient, &http.Client{Transport: transport})
	return httpx.Client(config.Client(base, oauth1.NewToken(o.Token.Reveal(), "")).Transport), nil
}

// refuseSigned explains the refusal of a signed request: by the OAuth provider, or by
// a resource that does not take such requests. Nobody was seen to use application
// links this way: that they take it is likely from the vendor's code, not known.
func (c *Client) refuseSigned(a answer, b errorBody, e *Error) {
	problem := problemOf(a)
	switch {
	case problem != nil && problem.Problem == "nonce_used":
		e.kind, e.undone, e.Messages, e.Advice = ErrUnavailable, true, []string{problem.Problem}, "" // signed again with another one
	case problem != nil:
		skew, known := c.Clock()
		problem = problem.explain(c.oauth.ConsumerKey, skew, known, c.now())
		e.kind, e.Messages, e.Advice = ErrOAuth, []string{problem.Problem, problem.Cause}, adviseOAuth(problem)
	case needsElevation(a, b):
		e.kind, e.Advice = ErrElevation, "Bitbucket wants a secure administrator session (WebSudo) even for requests signed by OAuth 1.0a: "+
			"have a system administrator set feature.websudo=false in bitbucket.properties (FEATURE_WEBSUDO=false for Docker), or "+advisePassword
	case errors.Is(e.kind, ErrForbidden) && !e.page:
		e.Advice += "; if it has, this resource does not take requests signed by OAuth 1.0a: " + advisePassword
	}
}

// advisePassword leads back to the password.
const advisePassword = "log in with a password: take oauth out of admin, and put password there"

// adviseOAuth says what to do about a refused token.
func adviseOAuth(p *OAuthProblem) string {
	switch p.Problem {
	case "consumer_key_unknown", "signature_invalid", "token_rejected", "token_expired", "token_used", "token_revoked", "permission_denied", "permission_unknown":
		return "run bbsync login for this Bitbucket again"
	}
	return p.Advice
}

// Account returns the name of the account that Bitbucket takes the client's requests
// for. It is in a header of every answer (documented for none, seen in all).
func (c *Client) Account(ctx context.Context) (string, error) {
	q := call{op: "asking whose login it is at", object: c.URL(), path: "/rest/api/1.0/application-properties"}
	var name string
	err := c.do(ctx, q, func(a answer) (err error) {
		name, err = url.PathUnescape(a.header.Get("X-Ausername"))
		if err == nil && name == "" {
			err = errors.New("the answer does not name the account (header X-AUSERNAME)")
		}
		return err
	})
	return name, err
}
