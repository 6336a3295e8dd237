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

// A question is one request. Its path is below /v1/.
type question struct {
	op    string // for messages: "reading"
	path  string
	query url.Values
	body  any    // makes it a write
	needs string // the capability that a policy must give on path
	once  bool   // it must not be repeated when its answer was lost
	into  any    // pointer to a pointer that is set to the answer's data, nil for none; without it they are in the answer
}

// An answer is what Vault said: 2xx, or a 400 or 404 in Vault's own form, which
// only the one who asked can judge.
type answer struct {
	status   int
	data     json.RawMessage
	errors   []string
	warnings []string
	lease    leaseOf // of a secret that Vault made for this client
	cache    string  // what a cache on the way says of itself, "" for none
}

// envelope is the form of all of Vault's answers.
type envelope struct {
	Data     any       `json:"data"`
	Errors   *[]string `json:"errors"`
	Warnings []string  `json:"warnings"`
	leaseOf
}

// filled reports whether the answer had data for into.
func (q question) filled() bool { return q.into != nil && !reflect.ValueOf(q.into).Elem().IsNil() }

// ask asks until there is an answer or patience ends. A token that ended is
// replaced by a new login.
func (c *Client) ask(ctx context.Context, q question) (answer, error) {
	var have answer
	denied := false // a new login helps once
	err := c.patiently(ctx, func() error {
		token := c.api.Token()
		var err error
		have, err = c.askOnce(ctx, q)
		if errors.Is(err, ErrForbidden) && !denied {
			denied = true
			if err = c.denied(ctx, token, err); err == nil {
				have, err = c.askOnce(ctx, q)
			}
		}
		if q.once && errors.Is(err, ErrUnavailable) && !refused(err) {
			return lost{err}
		}
		return err
	})
	if l := (lost{}); errors.As(err, &l) {
		return have, l.error
	}
	return have, err
}

// lost marks an error that must not be answered by asking again.
type lost struct{ error }

// refused reports whether Vault said that it did nothing.
func refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusTooManyRequests
}

// patiently repeats what found Vault unavailable, at growing distances.
func (c *Client) patiently(ctx context.Context, try func() error) error {
	again := func(err error) bool {
		_, isLost := err.(lost) //nolint:errorlint // only try's own mark counts
		return !isLost && errors.Is(err, ErrUnavailable) && !httpx.Permanent(err) && c.alive.Err() == nil
	}
	backoff := httpx.Backoff{First: 100 * time.Millisecond, Most: 3 * time.Second, Patience: c.cfg.Patience}
	return backoff.Do(ctx, again, try)
}

func (c *Client) askOnce(ctx context.Context, q question) (answer, error) {
	resp, err := c.send(ctx, c.api, q)
	if resp == nil {
		return answer{}, c.unreachable(ctx, q, err)
	}
	body, err := httpx.Bytes(resp.Body)
	if err != nil {
		return answer{}, c.unreachable(ctx, q, err)
	}
	if strings.HasPrefix(strings.ToUpper(resp.Header.Get("X-Cache")), "HIT") && strings.HasPrefix(q.path, c.cfg.Mount+"/") {
		return answer{}, &Error{
			Op: q.op, Path: q.path, Status: resp.StatusCode, Kind: ErrCached,
			Hint: "records must be read as they are now: switch cache_static_secrets off, or exclude " + c.cfg.Mount + " from the cache",
		}
	}
	if page, ok := httpx.ReadPage(resp.Header, body); ok {
		return answer{}, gateway(&Error{Op: q.op, Path: q.path, Status: resp.StatusCode}, page)
	}
	have, err := c.judge(q, resp.StatusCode, body)
	have.cache = resp.Header.Get("X-Cache") // as a Vault Agent or Proxy that caches says
	return have, err
}

// send hands the request to vault/api. The response is nil if there was none;
// for statuses of 400 and more there are both, and the body is still there.
func (c *Client) send(ctx context.Context, client *api.Client, q question) (*api.Response, error) {
	if q.body == nil {
		return client.Logical().ReadRawWithDataWithContext(ctx, q.path, q.query)
	}
	body, err := json.Marshal(q.body)
	if err != nil {
		return nil, err
	}
	return client.Logical().WriteRawWithContext(sends(ctx, body), q.path, body)
}

func (c *Client) unreachable(ctx context.Context, q question, err error) error {
	if ctx.Err() != nil {
		return &Error{Op: q.op, Path: q.path, Cause: ctx.Err()}
	}
	if net := (*url.Error)(nil); errors.As(err, &net) {
		err = net.Err
	}
	kind := ErrUnavailable
	if httpx.ByGateway(err) {
		kind = ErrGateway
	}
	return &Error{Op: q.op, Path: q.path, Kind: kind, Cause: err, Hint: c.reachHint(err)}
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

// judge tells an answer from an error.
func (c *Client) judge(q question, status int, body []byte) (answer, error) {
	var data json.RawMessage
	env := envelope{Data: &data}
	if q.into != nil {
		reflect.ValueOf(q.into).Elem().SetZero() // a broken answer may have filled it in part
		env.Data = q.into
	}
	parsed := len(body) == 0 && status == http.StatusNoContent || httpx.Unmarshal(body, &env) == nil
	e := &Error{Op: q.op, Path: q.path, Status: status}
	if env.Errors != nil {
		e.Texts = cleaned(*env.Errors)
	}
	switch {
	case status < 300 && parsed:
		return answer{status: status, data: data, warnings: env.Warnings, lease: env.leaseOf}, nil
	case parsed && (env.Errors != nil || len(data) > 0 || q.filled()) && (status == http.StatusNotFound || status == http.StatusBadRequest):
		if namespaceMissing(status, e.Texts) {
			e.Kind, e.Hint = ErrNoNamespace, "namespace "+c.cfg.Namespace+" is not there"
			return answer{}, e
		}
		return answer{status: status, data: data, errors: e.Texts, warnings: env.Warnings}, nil
	case status == http.StatusForbidden && parsed:
		e.Kind = ErrForbidden
		e.Hint = c.policyHint(q)
		return answer{}, e
	case status == http.StatusTooManyRequests || status == http.StatusPreconditionFailed || status >= 500 && status != http.StatusNotImplemented:
		e.Kind, e.Hint = ErrUnavailable, hintFor(status, e.Texts)
		return answer{}, e
	case !parsed:
		// A 404 or 200 of a proxy must not pass for Vault's.
		e.Kind, e.Hint = ErrUnavailable, "the answer is not Vault's: it is not JSON, or was cut short; is there a proxy in between?"
		return answer{}, e
	}
	return answer{}, e
}

func hintFor(status int, said []string) string {
	switch {
	case mentions(said, "sealed"):
		return "Vault is sealed: vault operator unseal"
	case status == http.StatusTooManyRequests:
		return "a rate limit quota of Vault is exceeded: a lower --parallelism, or a higher quota"
	}
	return "try again; vault status tells more"
}

// policyHint is the policy that would have allowed it, and where all that is needed
// can be read at once.
func (c *Client) policyHint(q question) string {
	return "the token's policy needs: path \"" + q.path + "\" { capabilities = [" + q.needs + "] }; docs/vault-policy.hcl is the whole of it"
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

// texts are Vault's error texts; a body that is not Vault's is not quoted at length.
func texts(said []string, raw bool) []string {
	if raw {
		return []string{"(an answer that is not Vault's: is there a proxy in between?)"}
	}
	return cleaned(said)
}
