package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/httpx"
)

const lookupSelf = "auth/token/lookup-self"

// useToken takes the token that was given, and looks it up: to know that it is
// good and how long it lives.
func (c *Client) useToken(ctx context.Context) (*api.Secret, error) {
	token := strings.TrimSpace(c.cfg.Auth.Token.Reveal())
	c.api.SetToken(token)
	var data *selfWire
	var have response
	req := request{op: "looking up the token at", path: lookupSelf, needs: `"read"`, into: &data}
	err := c.patiently(ctx, func() (err error) {
		have, err = c.attempt(ctx, req)
		return err
	})
	auth := &api.SecretAuth{ClientToken: token}
	if errors.Is(err, ErrForbidden) {
		return c.unlooked(err, auth)
	}
	switch {
	case err != nil:
		return nil, err
	case data == nil:
		return nil, broken(req, have)
	}
	auth.LeaseDuration, auth.Renewable = data.TTL, data.Renewable
	return &api.Secret{Auth: auth}, nil
}

// unlooked judges a token that may not be looked up. Vault names a bad one; for
// OpenBao a bad token and one without the default policy look alike, so the
// token gets the benefit of the doubt until it is used.
func (c *Client) unlooked(err error, auth *api.SecretAuth) (*api.Secret, error) {
	var e *Error
	if errors.As(err, &e) && !mentions(e.Texts, "invalid token") {
		return &api.Secret{Auth: auth}, nil
	}
	return nil, c.badToken(err)
}

func (c *Client) badToken(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	bad := *e
	bad.Kind, bad.Hint = ErrUnauthorized, "the token is wrong, expired or revoked: log in anew (vault login)"
	if c.cfg.Auth.again() {
		bad.Hint = "the token is expired or revoked, and so soon after a login"
	}
	return &bad
}

// denied finds out what a 403 meant: nil says that there is a new token to try
// with, an error says what is wrong. used is the token that was denied.
func (c *Client) denied(ctx context.Context, used string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if c.cfg.Auth.agent() {
		return deniedToAgent(e)
	}
	if !mentions(e.Texts, "invalid token") {
		// OpenBao answers a bad token and a narrow policy alike.
		if _, lookErr := c.attempt(ctx, request{op: "looking up the token at", path: lookupSelf, needs: `"read"`}); lookErr == nil {
			return err
		} else if !errors.Is(lookErr, ErrForbidden) {
			return lookErr
		}
		if !c.cfg.Auth.again() {
			e.Hint += "; or the token is expired: it could not be looked up either"
			return err
		}
	}
	if !c.cfg.Auth.again() {
		return c.badToken(err)
	}
	return c.relogin(ctx, used)
}

// deniedToAgent says what a 403 means where an agent adds the token. Vault answers
// a request without a token as it does a policy that is too narrow.
func deniedToAgent(e *Error) error {
	denied := *e
	if mentions(e.Texts, "invalid token") {
		denied.Kind, denied.Hint = ErrUnauthorized, "the agent's token is expired or revoked: see the agent's log"
	} else {
		denied.Hint += "; or the agent added no token: check that this is its address, that its auto-auth has succeeded, and use_auto_auth_token in its api_proxy block"
	}
	return &denied
}

// relogin replaces a token, once for all who found it bad.
func (c *Client) relogin(ctx context.Context, bad string) error {
	c.login.Lock()
	defer c.login.Unlock()
	if c.api.Token() != bad {
		return nil
	}
	made, err := c.logInLocked(ctx)
	if err != nil {
		return err
	}
	select {
	case c.fresh <- made:
	default: // the renewer has not yet taken the one before; its end makes it log in
	}
	return nil
}

// checkNamespace makes sure that the namespace asked for counts. A Vault
// without namespaces (the community edition) ignores the header, and records
// would land in the root; there, a namespace that cannot exist is as good as any.
// It asks for two things, since the token may not be allowed the one.
func (c *Client) checkNamespace(ctx context.Context) error {
	if c.cfg.Namespace == "" {
		return nil
	}
	absurd := c.api.WithNamespace(c.cfg.Namespace + "/bbsync-" + strings.ToLower(rand.Text()))
	paths := []string{lookupSelf, "sys/internal/ui/mounts/" + c.cfg.Mount}
	if c.cfg.Auth.agent() {
		paths = paths[1:] // the token is not ours to look up
	}
	for _, path := range paths {
		req := request{op: "looking for namespaces at", path: path}
		if err := c.patiently(ctx, func() error { return c.expectNone(ctx, absurd, req) }); err != nil {
			return err
		}
	}
	return nil
}

// expectNone asks in a namespace that is not there: an answer is an error.
func (c *Client) expectNone(ctx context.Context, absurd *api.Client, req request) error {
	resp, err := c.send(ctx, absurd, req)
	if resp == nil {
		return c.unreachable(ctx, req, err)
	}
	_ = resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK:
		return &Error{
			Op: "using namespace", Path: c.cfg.Namespace, Kind: errNamespaceIgnored,
			Hint: "this Vault has no namespaces; take the namespace out, or check the address",
		}
	case resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests:
		return &Error{Op: req.op, Path: req.path, Status: resp.StatusCode, Kind: unavailable(resp.StatusCode, nil)}
	}
	return nil // 403 or 404: the header counts
}

// keep renews the token until the client is closed, and logs in anew when a
// token comes to its end. It never gives up: a request that finds the token bad
// logs in by itself.
func (c *Client) keep(now *api.Secret) {
	for {
		next, over := c.watch(now)
		if over {
			return
		}
		for next == nil {
			// At least a second between logins, however short the tokens are.
			if httpx.Sleep(c.alive, time.Second) != nil {
				return
			}
			if made, err := c.logIn(c.alive); err == nil {
				next = made
			}
		}
		now = next
	}
}

// watch renews one token until it ends (nil, false), another took its place, or
// nothing is left to do (true).
func (c *Client) watch(now *api.Secret) (next *api.Secret, over bool) {
	if now.Auth.LeaseDuration == 0 {
		return nil, true
	}
	watcher, err := c.api.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: now})
	if err != nil {
		return nil, true // only for missing input
	}
	c.tasks.Go(watcher.Start)
	defer watcher.Stop()
	select {
	case <-c.alive.Done():
		return nil, true
	case next := <-c.fresh:
		return next, false
	case <-watcher.DoneCh(): //nolint:errcheck // with or without an error: near the token's maximum age there is none
		return nil, !c.cfg.Auth.again()
	}
}
