package bitbucket

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/trace"
)

const requestTokenPath = "/plugins/servlet/oauth/request-token"

// ProveConsumer asks for a request token exactly as Terraform does, signed with
// the consumer's private key: success proves link, consumer, key pair and clock.
// Nobody has to allow anything; the token that comes of it dies by itself after
// ten minutes. A refusal is an *OAuthProblem.
func (c *Client) ProveConsumer(ctx context.Context, consumerKey string, private secret.Text) error {
	key, err := keys.ParseRSA(private)
	if err != nil {
		return err
	}
	q := call{
		op: "proving the OAuth consumer", object: quote(consumerKey), method: http.MethodPost, path: requestTokenPath,
		media: "application/x-www-form-urlencoded", anonymous: true, idempotent: true, // a second token harms no one
	}
	for try := 1; ; try++ {
		err := c.proveOnce(ctx, q, consumerKey, &oauth1.RSASigner{PrivateKey: key})
		wait, again := c.again(q, err, try)
		if !again || httpx.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// proveOnce lets the library sign and send; its transport is this client's, so
// that limits, deadlines and errors are those of every other call.
func (c *Client) proveOnce(ctx context.Context, q call, consumerKey string, signer oauth1.Signer) error {
	transport := &capture{client: c, ctx: ctx, call: q}
	config := oauth1.Config{
		ConsumerKey: consumerKey,
		CallbackURL: "oob",
		Endpoint:    oauth1.Endpoint{RequestTokenURL: c.base.String() + q.path},
		Signer:      signer,
		HTTPClient: &http.Client{
			Transport:     trace.Transport(transport),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	begin := time.Now()
	_, _, err := config.RequestToken()
	switch {
	case err == nil:
		return nil
	case transport.err != nil:
		return transport.err
	case transport.answer.status == 0: // the library could not make the request
		return c.cut(q, stripURL(err), true)
	}
	if p := problemOf(transport.answer); p != nil {
		skew, known := c.Clock()
		return p.explain(consumerKey, skew, known, begin)
	}
	if s := transport.answer.status; s == http.StatusOK || s == http.StatusCreated {
		// The library's error may repeat the body, and with it the token.
		return c.broken(q, transport.answer, errors.New("not an OAuth 1.0a request token"))
	}
	e := c.refusal(q, transport.answer)
	if e.Status == http.StatusNotFound {
		e.Advice = "the OAuth servlet is not there: check the url's context path, and that OAuth 1.0 is not switched off"
	}
	return e
}

// capture sends a request through the client and keeps what came back.
type capture struct {
	client *Client
	ctx    context.Context
	call   call
	answer answer
	err    error
}

// RoundTrip implements http.RoundTripper.
func (t *capture) RoundTrip(signed *http.Request) (*http.Response, error) {
	q := t.call
	q.header = http.Header{"Authorization": signed.Header["Authorization"]}
	q.accept = "*/*"
	t.answer, t.err = t.client.send(t.ctx, q)
	if t.err != nil {
		return nil, t.err
	}
	return t.answer.response(signed), nil
}

// problemOf reads the problem that a refusal names, in its header or its form
// body, nil if it names none.
func problemOf(a answer) *OAuthProblem {
	for _, header := range a.header.Values("WWW-Authenticate") {
		scheme, params, _ := strings.Cut(strings.TrimSpace(header), " ")
		if !strings.EqualFold(scheme, "OAuth") {
			continue
		}
		if p := newProblem(a, headerParams(params)); p != nil {
			return p
		}
	}
	if len(a.body) > 4096 || isXML(a.body) {
		return nil
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(a.body)))
	if err != nil {
		return nil
	}
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	return newProblem(a, fields)
}

// headerParams reads realm="...", oauth_problem="..." with percent-encoded values.
func headerParams(text string) map[string]string {
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			continue
		}
		value = strings.Trim(value, `"`)
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		fields[name] = value
	}
	return fields
}
