package tfe

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/names"
)

// A question is one call, for its errors, and for what to do when its answer is
// lost.
type question struct {
	op, object string
	again      bool                 // it may be repeated: a second time changes nothing more
	takes      func(exchange) error // what is wrong with a good answer to a write; nil: the caller reads it
}

// do makes a call, again and again where that is right, and gives its error the
// status that go-tfe loses.
func (c *Client) do(ctx context.Context, q question, call func(context.Context) error) error {
	began, wait := time.Now(), 200*time.Millisecond
	for {
		err := c.once(ctx, q, call)
		if err == nil || !q.again || !errors.Is(err, ErrUnavailable) {
			return err
		}
		delay := wait/2 + rand.N(wait) //nolint:gosec // jitter
		if time.Since(began)+delay > c.patience {
			return err
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		wait = min(2*wait, 5*time.Second)
	}
}

func (c *Client) once(ctx context.Context, q question, call func(context.Context) error) error {
	var x exchange
	err := call(context.WithValue(ctx, exchangeKey{}, &x))
	if err == nil && x.status < http.StatusBadRequest && !x.html {
		if q.takes == nil {
			return nil
		}
		if err = q.takes(x); err == nil {
			return nil
		}
	}
	e := &Error{Op: q.op, Object: q.object, Status: x.status}
	switch {
	case ctx.Err() != nil:
		e.Status, e.Cause = 0, ctx.Err()
	case x.status == 0 && errors.As(err, new(*tls.CertificateVerificationError)):
		e.Kind, e.Cause, e.Hint = ErrUnavailable, network(err), "if the certificate is from your own authority, set ca_file to its certificates"
	case x.status == 0:
		e.Kind, e.Cause, e.Hint = ErrUnavailable, network(err), "is "+c.address.String()+" the right address, and can it be reached from here?"
	case x.status >= http.StatusBadRequest:
		e.read(x.body)
		e.judge()
		if e.Kind == nil && e.Detail == "" {
			e.Cause = err
		}
	default:
		// A page of a proxy or of a login, or an answer cut short.
		e.Kind, e.Hint = ErrUnavailable, "the answer is not what Terraform sends; is there a proxy in between?"
		if !x.html || x.status >= http.StatusMultipleChoices { // a redirect has a page, too
			e.Cause = network(err)
		}
	}
	return e
}

func network(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// get reads a document that go-tfe has no type for, or one with parts missing.
func (c *Client) get(ctx context.Context, q question, path string, query url.Values, into any) error {
	q.again = true
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.do(ctx, q, func(ctx context.Context) error { return c.raw(ctx, http.MethodGet, path, nil, into) })
}

// raw makes one request through go-tfe. The body is marshalled as go-tfe sees fit:
// as JSON:API by jsonapi tags, else as JSON.
func (c *Client) raw(ctx context.Context, method, path string, body, into any) error {
	req, err := c.api.NewRequest(method, path, body)
	if err != nil {
		return err
	}
	if into == nil {
		return req.Do(ctx, nil)
	}
	x, noted := ctx.Value(exchangeKey{}).(*exchange)
	if !noted {
		return errors.New("a request outside of do")
	}
	if err := req.Do(ctx, io.Discard); err != nil {
		return err
	}
	if err := json.Unmarshal(x.body, into); err != nil { // the door has read it already
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
