package vault

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/httpx"
)

// A request is one request. Its path is below /v1/.
type request struct {
	op    string // for messages: "reading"
	path  string
	query url.Values
	body  any    // makes it a write
	needs string // the capability that a policy must give on path
	into  any    // pointer to a pointer that is set to the response's data, nil for none; see fetch

	nonIdempotent bool // it must not be repeated when its response was lost
}

// A response is a 2xx, or a 400 or 404 in Vault's own form, which only the caller
// can judge.
type response struct {
	status   int
	errors   []string
	warnings []string
	lease    leaseOf // of a secret that Vault made for this client
	cache    string  // what a cache in between reports, "" for none
}

// envelope is the form of all of Vault's answers.
type envelope struct {
	Data     any       `json:"data"`
	Errors   *[]string `json:"errors"`
	Warnings []string  `json:"warnings"`
	leaseOf
}

// fetch sends a request and returns the data of its response, nil if it has none.
func fetch[T any](ctx context.Context, c *Client, req request) (*T, response, error) {
	var data *T
	req.into = &data
	have, err := c.do(ctx, req)
	return data, have, err
}

// do sends a request until there is a response or patience ends. A token that ended
// is replaced by a new login.
func (c *Client) do(ctx context.Context, req request) (response, error) {
	var have response
	denied := false // a new login helps once
	err := c.patiently(ctx, func() error {
		token := c.api.Token()
		var err error
		have, err = c.attempt(ctx, req)
		if errors.Is(err, ErrForbidden) && !denied {
			denied = true
			if err = c.denied(ctx, token, err); err == nil {
				have, err = c.attempt(ctx, req)
			}
		}
		if req.nonIdempotent && lost(err) {
			return unknownOutcomeError{err}
		}
		return err
	})
	if u := (unknownOutcomeError{}); errors.As(err, &u) {
		return have, u.error
	}
	return have, err
}

// lost reports whether it is unknown if a request was carried out. Vault does not
// carry out what it refuses for its rate.
func lost(err error) bool { return errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrRateLimited) }

// unknownOutcomeError marks an error after which the request must not be sent again.
type unknownOutcomeError struct{ error }

// patiently repeats what found Vault unavailable, at growing distances.
func (c *Client) patiently(ctx context.Context, try func() error) error {
	again := func(err error) bool {
		_, unknown := err.(unknownOutcomeError) //nolint:errorlint // only try's own mark counts
		return !unknown && errors.Is(err, ErrUnavailable) && !httpx.Permanent(err) && c.alive.Err() == nil
	}
	backoff := httpx.Backoff{First: 100 * time.Millisecond, Most: 3 * time.Second, Patience: c.cfg.Patience}
	return backoff.Do(ctx, again, try)
}

func (c *Client) attempt(ctx context.Context, req request) (response, error) {
	resp, err := c.send(ctx, c.api, req)
	if resp == nil {
		return response{}, c.unreachable(ctx, req, err)
	}
	body, err := httpx.Bytes(resp.Body)
	if err != nil {
		return response{}, c.unreachable(ctx, req, err)
	}
	if strings.HasPrefix(strings.ToUpper(resp.Header.Get("X-Cache")), "HIT") && strings.HasPrefix(req.path, c.cfg.Mount+"/") {
		return response{}, &Error{Op: req.op, Path: req.path, Status: resp.StatusCode, Kind: ErrCached}
	}
	if page, ok := httpx.ReadPage(resp.Header, body); ok {
		return response{}, gateway(&Error{Op: req.op, Path: req.path, Status: resp.StatusCode}, page)
	}
	have, err := c.judge(req, resp.StatusCode, body)
	have.cache = resp.Header.Get("X-Cache") // as a Vault Agent or Proxy that caches says
	return have, err
}

// send hands the request to vault/api. The response is nil if there was none;
// for statuses of 400 and more there are both, and the body is still there.
func (c *Client) send(ctx context.Context, client *api.Client, req request) (*api.Response, error) {
	if req.body == nil {
		return client.Logical().ReadRawWithDataWithContext(ctx, req.path, req.query)
	}
	body, err := json.Marshal(req.body)
	if err != nil {
		return nil, err
	}
	return client.Logical().WriteRawWithContext(sends(ctx, body), req.path, body)
}

func (c *Client) unreachable(ctx context.Context, req request, err error) error {
	if ctx.Err() != nil {
		return &Error{Op: req.op, Path: req.path, Cause: ctx.Err()}
	}
	if net := (*url.Error)(nil); errors.As(err, &net) {
		err = net.Err
	}
	kind := ErrUnavailable
	if httpx.ByGateway(err) {
		kind = ErrGateway
	}
	return &Error{Op: req.op, Path: req.path, Kind: kind, Cause: err, Hint: c.reachHint(err)}
}

// reachHint says what to do when there was no answer.
func (c *Client) reachHint(err error) string {
	if hint := httpx.Advice(err); hint != "" {
		return hint
	}
	return "is " + c.cfg.Address + " the right address, and can it be reached from here?"
}

// gateway makes e the error of a web page: what it says of tokens and secrets is
// not Vault's word. A refusal is final; anything else, a proxy's 404 while Vault
// restarts included, may be over at the next try.
func gateway(e *Error, page httpx.Page) *Error {
	e.Kind, e.Cause = ErrUnavailable, errors.New(page.String())
	e.Hint = page.Advice("Vault")
	if page.Asks() || e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError && e.Status != http.StatusNotFound {
		e.Kind = ErrGateway
	}
	return e
}

// judge tells a response from an error.
func (c *Client) judge(req request, status int, body []byte) (response, error) {
	if req.into == nil {
		req.into = new(*struct{})
	}
	env := envelope{Data: req.into}
	into := reflect.ValueOf(req.into).Elem()
	into.SetZero() // of an attempt before
	parsed := len(body) == 0 && status == http.StatusNoContent || httpx.Unmarshal(body, &env) == nil
	parsed = parsed && (env.Data == nil || env.Data == req.into) // else the data has another shape
	e := &Error{Op: req.op, Path: req.path, Status: status}
	if env.Errors != nil {
		e.Texts = cleaned(*env.Errors)
	}
	switch {
	case status < 300 && parsed:
		return response{status: status, warnings: env.Warnings, lease: env.leaseOf}, nil
	case parsed && (env.Errors != nil || !into.IsNil()) && (status == http.StatusNotFound || status == http.StatusBadRequest):
		if namespaceMissing(status, e.Texts) {
			e.Kind, e.Hint = ErrNoNamespace, "namespace "+c.cfg.Namespace+" is not there"
			return response{}, e
		}
		return response{status: status, errors: e.Texts, warnings: env.Warnings}, nil
	case status == http.StatusForbidden && parsed:
		e.Kind = ErrForbidden
		e.Hint = c.policyHint(req)
		return response{}, e
	case status == http.StatusTooManyRequests || status == http.StatusPreconditionFailed || status >= 500 && status != http.StatusNotImplemented:
		e.Kind = unavailable(status, e.Texts)
		return response{}, e
	case !parsed:
		e.Kind = ErrBrokenAnswer // a 404 or 200 of a proxy must not pass for Vault's
		return response{}, e
	}
	return response{}, e
}

// unavailable returns the kind of a status with which Vault says that it cannot answer now.
func unavailable(status int, said []string) error {
	switch {
	case mentions(said, "sealed"):
		return ErrSealed
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	}
	return ErrUnavailable
}

// policyHint is the policy that would have allowed it, and where all that is needed
// can be read at once.
func (c *Client) policyHint(req request) string {
	return "the token's policy needs: path \"" + req.path + "\" { capabilities = [" + req.needs + "] }; docs/vault-policy.hcl is the whole of it"
}

func mentions(texts []string, what string) bool {
	for _, text := range texts {
		if strings.Contains(text, what) {
			return true
		}
	}
	return false
}

func namespaceMissing(status int, said []string) bool {
	return status == http.StatusNotFound && mentions(said, "namespace not found")
}

// messages are Vault's error messages; a body that is not Vault's is not quoted.
func messages(said []string, raw bool) []string {
	if raw {
		return []string{"(an answer that is not Vault's: is there a proxy in between?)"}
	}
	return cleaned(said)
}
