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

// ProveConsumer asks for a request token exactly as Terraform does, signed with
// the consumer's private key: success proves link, consumer, key pair and clock.
// Nobody has to allow anything; the token that comes of it dies by itself after
// ten minutes. A refusal is an *OAuthProblem.
func (c *Client) ProveConsumer(ctx context.Context, consumerKey string, private secret.Text) error {
	_, err := c.RequestToken(ctx, consumerKey, private, OutOfBand)
	return err
}

// exchange has the library sign and send a request of the OAuth flow, and sends it
// again where that is safe. Its transport is this client's, so that limits, deadlines
// and errors are those of every other call.
func (c *Client) exchange(ctx context.Context, q call, config oauth1.Config, private secret.Text, send func(*oauth1.Config) error) (answer, error) {
	key, err := keys.ParseRSA(private)
	if err != nil {
		return answer{}, err
	}
	q.object, q.method, q.media, q.anonymous = quote(config.ConsumerKey), http.MethodPost, formMedia, true
	config.Signer = &oauth1.RSASigner{PrivateKey: key}
	for try := 1; ; try++ {
		a, err := c.exchangeOnce(ctx, q, config, send)
		wait, again := c.again(q, err, try)
		if !again || httpx.Sleep(ctx, wait) != nil {
			return a, err
		}
	}
}

func (c *Client) exchangeOnce(ctx context.Context, q call, config oauth1.Config, send func(*oauth1.Config) error) (answer, error) {
	transport := &capture{client: c, ctx: ctx, call: q}
	config.HTTPClient = httpx.Client(trace.Transport(transport))
	begin := time.Now()
	err := send(&config)
	a := transport.answer
	switch {
	case err == nil:
		return a, nil
	case transport.err != nil:
		return a, transport.err
	case a.status == 0: // the library could not make the request
		return a, c.cut(q, stripURL(err), true)
	}
	if p := problemOf(a); p != nil {
		skew, known := c.Clock()
		p.Op = q.op
		return a, p.explain(config.ConsumerKey, skew, known, begin)
	}
	if a.status == http.StatusOK || a.status == http.StatusCreated {
		// The library's error may repeat the body, and with it the token.
		return a, c.broken(q, a, errors.New("not an OAuth 1.0a token"))
	}
	e := c.refusal(q, a)
	if e.Status == http.StatusNotFound {
		e.Advice = "the OAuth servlet is not there: check the url's context path, and that OAuth 1.0 is not switched off"
	}
	return a, e
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
