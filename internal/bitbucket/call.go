package bitbucket

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/secret"
)

// A call is one request, with what an error should say about it.
type call struct {
	op, object string
	method     string // "": GET
	path       string // below the base URL, escaped, begins with a slash
	query      url.Values
	body       []byte      // nil: none
	media      string      // of the body and of the answer, "": application/json
	accept     string      // of the answer where it differs
	header     http.Header // added

	session *session      // that it is sent with; nil: none
	signed  bool          // by OAuth 1.0a
	secrets []secret.Text // in its body, besides the client's own
	whole   bool          // the answer is a page whose fields are sent back: nothing is removed from it

	anonymous  bool  // goes without the account
	idempotent bool  // carrying it out twice does what carrying it out once does; GET always is
	succeed    []int // statuses that are successes; nil: 2xx
	most       int64 // bytes of a success that are taken; 0: maxBody
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// response makes an answer an http.Response again.
func (a answer) response(r *http.Request) *http.Response {
	return &http.Response{
		StatusCode: a.status, Header: a.header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}
}

const (
	maxBody  = 64 << 20
	maxLinks = 512 << 20 // they come in one piece: ten thousand are some 6 MB
)

// do sends the request, and again where that is safe and may help: after
// transport errors, 502, 503 and 504 if it is idempotent, after 429 and a
// connection that was not made in any case. read (nil: the body does not matter)
// is given every success; an error of it is a broken answer, which a GET asks
// for again. A 401 is never repeated.
func (c *Client) do(ctx context.Context, q call, read func(answer) error) error {
	if q.method == "" {
		q.method, q.idempotent = http.MethodGet, true
	}
	for try := 1; ; try++ {
		err := c.enter(ctx, q, read)
		wait, again := c.again(q, err, try)
		if !again {
			return err
		}
		if httpx.Sleep(ctx, wait) != nil {
			return err // what the server said tells more than that time ran out
		}
	}
}

// enter sends the request once, through the account's guard.
func (c *Client) enter(ctx context.Context, q call, read func(answer) error) error {
	if q.anonymous || c.username == "" {
		q.anonymous = true
		_, err := c.once(ctx, q, read)
		return err
	}
	leave, shut, err := c.guard.enter(ctx)
	switch {
	case err != nil:
		return c.cut(q, err, true)
	case shut != nil:
		e := c.fault(q)
		e.kind, e.undone, e.Advice = shut.kind, true, shut.Advice
		e.cause = errors.New("not sent, as an earlier request was refused: " + shut.refusal())
		return e
	}
	met, err := c.asAccount(ctx, q, read)
	leave(met, err)
	return err
}

// once sends the request once. met reports whether the account was let in.
func (c *Client) once(ctx context.Context, q call, read func(answer) error) (met bool, err error) {
	a, err := c.send(ctx, q)
	if err != nil {
		return false, err
	}
	if !q.success(a.status) {
		e := c.refusal(q, a)
		met = a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests && !e.page &&
			(a.status != http.StatusUnauthorized && a.status != http.StatusForbidden || named(a))
		return met, e
	}
	if !q.anonymous && stranger(q, a) {
		return false, c.dropped(q, a)
	}
	if err := read(a); err != nil {
		return true, c.broken(q, a, err)
	}
	return true, nil
}

func (q call) success(status int) bool {
	if q.succeed != nil {
		return slices.Contains(q.succeed, status)
	}
	return status >= 200 && status < 300
}

// send does one round trip and reads the whole body.
func (c *Client) send(ctx context.Context, q call) (answer, error) {
	if err := c.limiter.Wait(ctx); err != nil { // not part of the request's own time
		return answer{}, c.cut(q, err, true)
	}
	r, err := c.request(httpx.WithMaxBody(ctx, cmp.Or(q.most, maxBody)), q)
	if err != nil {
		return answer{}, err
	}
	begin := c.now()
	client := c.http
	if q.signed {
		client = c.signed
	}
	response, err := client.Do(r)
	if large := (*httpx.TooLargeError)(nil); errors.As(err, &large) {
		return answer{}, c.broken(q, answer{status: http.StatusOK}, large)
	}
	if err != nil {
		return answer{}, c.cut(q, stripURL(err), ctx.Err() != nil)
	}
	c.clock.look(response.Header, begin, c.now())
	if q.session != nil {
		q.session.keep(r.URL, response.Header)
	}
	c.limiter.Seen(response.StatusCode, advice(response.Header))
	body, err := httpx.Bytes(response.Body)
	if err != nil {
		return answer{}, c.cut(q, err, ctx.Err() != nil)
	}
	return answer{response.StatusCode, response.Header, body}, nil
}

func (c *Client) request(ctx context.Context, q call) (*http.Request, error) {
	var body io.Reader // nil makes the request say Content-Length: 0
	if q.body != nil {
		body = bytes.NewReader(q.body)
	}
	address := c.base.String() + q.path
	if query := q.sentQuery(); len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return nil, c.cut(q, stripURL(err), true)
	}
	media := q.media
	if media == "" {
		media = "application/json"
	}
	accept := q.accept
	if accept == "" {
		accept = media
	}
	// Without Accept the applinks modules answer XML, without these two others the
	// XSRF check refuses writes.
	r.Header.Set("Accept", accept)
	r.Header.Set("X-Atlassian-Token", "no-check")
	if q.method != http.MethodGet {
		r.Header.Set("Content-Type", media)
	}
	maps.Copy(r.Header, q.header)
	return c.sign(r, q), nil
}

// sentQuery is the query without what asks for Basic authentication, where that is
// not the login.
func (q call) sentQuery() url.Values {
	if q.session == nil && !q.signed || !q.query.Has(authType) {
		return q.query
	}
	query := maps.Clone(q.query)
	query.Del(authType)
	return query
}

// sign adds the login to a request: a session, or the account by Basic
// authentication. Its secrets are removed from what the answer quotes. A signature is
// added as it is sent.
func (c *Client) sign(r *http.Request, q call) *http.Request {
	if q.session == nil {
		if !q.anonymous && !q.signed {
			r.SetBasicAuth(c.username, c.password.Reveal())
		}
		return r
	}
	q.session.carry(r)
	if q.whole {
		return r
	}
	return r.WithContext(httpx.WithSecrets(r.Context(), func() []secret.Text { return append(q.session.secrets(r), q.secrets...) }))
}

// fault begins an Error about a call.
func (c *Client) fault(q call) *Error {
	method := q.method
	if method == "" {
		method = http.MethodGet
	}
	return &Error{Op: q.op, Object: q.object, Method: method, Path: c.base.EscapedPath() + q.path}
}

// cut is the Error of a request without an answer. ended: the caller's context
// is over, so that a repetition makes no sense.
func (c *Client) cut(q call, err error, ended bool) *Error {
	e := c.fault(q)
	e.cause, e.lost = err, true
	var dial *net.OpError
	switch {
	case httpx.Permanent(err):
		e.lost, e.undone, e.Advice = false, true, httpx.Advice(err)
	case ended:
	case errors.As(err, &dial) && dial.Op == "dial":
		e.kind, e.lost, e.undone = ErrUnavailable, false, true
		e.Advice = "check that " + c.base.Host + " can be reached from here, and the proxy settings"
	default:
		e.kind = ErrUnavailable
	}
	return e
}

// broken is the Error of a success whose body makes no sense.
func (c *Client) broken(q call, a answer, err error) *Error {
	e := c.fault(q)
	e.Status, e.kind, e.cause, e.lost = a.status, ErrBadAnswer, err, true
	e.RequestID = escape(c.redact.String(a.header.Get("X-Arequestid")))
	if s := parseErrorBody(a); s.page {
		e.Messages, e.page, e.cause = s.messages, true, nil
		e.Advice = "check that nothing (a proxy, a login page) stands between bbsync and Bitbucket, and the url's context path"
		if s.web.Asks() {
			e.kind, e.Advice = ErrGateway, s.web.Advice("Bitbucket")
		}
	}
	return e
}

// stripURL drops the URL that net/http puts into its errors: the Error has the path.
func stripURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// decode returns a reader of JSON into result, which is set only by a whole answer.
func decode[T any](result *T) func(answer) error {
	return func(a answer) error {
		var value T
		if err := httpx.Unmarshal(a.body, &value); err != nil {
			if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok { // its text names Go's types
				return fmt.Errorf("not the JSON that was expected: unexpected %s", strings.TrimSpace(wrong.Value+" "+wrong.Field))
			}
			return fmt.Errorf("not the JSON that was expected: %w", err)
		}
		*result = value
		return nil
	}
}

// encode returns v as a JSON body. Its types are this package's own and marshal.
func encode[T any](v T) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("bitbucket: marshalling %T: %v", v, err))
	}
	return body
}
