package tfe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
)

// A request describes one call: for its errors, and for what to do when its answer
// is lost.
type request struct {
	op, object string
	idempotent bool                 // it may be sent again: a second time changes nothing more
	takes      func(exchange) error // what is wrong with a good answer to a write; nil: the caller reads it
}

// do makes a call, again and again where that is right, and gives its error the
// status that go-tfe loses.
func (c *Client) do(ctx context.Context, req request, call func(context.Context) error) error {
	backoff := httpx.Backoff{First: 200 * time.Millisecond, Most: 5 * time.Second, Patience: c.patience}
	var last error // tells more than that time ran out
	_ = backoff.Do(ctx, func(err error) bool { return req.idempotent && errors.Is(err, ErrUnavailable) && !httpx.Permanent(err) }, func() error {
		last = c.attempt(ctx, req, call)
		return last
	})
	return last
}

func (c *Client) attempt(ctx context.Context, req request, call func(context.Context) error) error {
	var x exchange
	err := call(context.WithValue(ctx, exchangeKey{}, &x))
	if err == nil && x.status < http.StatusMultipleChoices && x.page == nil {
		if req.takes == nil {
			return nil
		}
		if err = req.takes(x); err == nil {
			return nil
		}
	}
	e := &Error{Op: req.op, Object: req.object, Status: x.status}
	switch {
	case ctx.Err() != nil:
		e.Status, e.Cause = 0, ctx.Err()
	case x.status == 0:
		e.Kind, e.Cause, e.Hint = ErrUnavailable, network(err), httpx.Advice(err)
		if e.Hint == "" {
			e.Hint = "is " + c.address.String() + " the right address, and can it be reached from here?"
		}
	case x.status >= http.StatusMultipleChoices && x.status < http.StatusBadRequest:
		e.Kind, e.Cause, e.Hint = ErrUnavailable, network(err), httpx.Advice(err)
		if httpx.ByGateway(err) {
			e.Kind = ErrGateway
		}
	case x.page != nil:
		e.gateway(*x.page)
	case x.status >= http.StatusBadRequest:
		e.read(x.body)
		e.Kind = kindOf(x.status)
		if e.Kind == nil && e.Detail == "" {
			e.Cause = err
		}
	default: // an answer that was cut short
		e.Kind, e.Cause = ErrBrokenAnswer, network(err)
	}
	return e
}

// sends returns a context whose requests have a secret in their bodies.
func sends(ctx context.Context, text secret.Text) context.Context {
	return httpx.WithSecrets(ctx, func() []secret.Text { return []secret.Text{text} })
}

func network(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// get reads a document that go-tfe has no type for, or one with parts missing.
func (c *Client) get(ctx context.Context, req request, path string, query url.Values, into any) error {
	req.idempotent = true
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.do(ctx, req, func(ctx context.Context) error { return c.raw(ctx, http.MethodGet, path, nil, into) })
}

// raw makes one request through go-tfe. The body is marshalled as go-tfe sees fit:
// as JSON:API by jsonapi tags, else as JSON.
func (c *Client) raw(ctx context.Context, method, path string, body, into any) error {
	call, err := c.api.NewRequest(method, path, body)
	if err != nil {
		return err
	}
	if into == nil {
		return call.Do(ctx, nil)
	}
	x, noted := ctx.Value(exchangeKey{}).(*exchange)
	if !noted {
		return errors.New("a request outside of do")
	}
	if err := call.Do(ctx, io.Discard); err != nil {
		return err
	}
	if err := httpx.Unmarshal(x.body, into); err != nil { // the transport has read it already
		return fmt.Errorf("decoding the answer: %w", err)
	}
	return nil
}

var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// organizationPath checks the name, since it becomes part of a path.
func organizationPath(name, rest string) (string, error) {
	if !names.IsOrganization(name) {
		return "", fmt.Errorf("terraform: organization %q: a name has letters, digits, - and _ only", clean(name))
	}
	return "organizations/" + name + rest, nil
}

func objectPath(kind, id, rest string) (string, error) {
	if !identifier.MatchString(id) {
		return "", fmt.Errorf("terraform: %s %q: malformed id", strings.TrimSuffix(kind, "s"), clean(id))
	}
	return kind + "/" + id + rest, nil
}
