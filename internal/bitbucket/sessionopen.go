package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/secret"
)

// loginCall begins a call that logs in. It is anonymous: it carries no login but
// the session that it opens.
func loginCall(c *Client) call {
	return call{op: "logging in to " + c.URL() + " as", object: quote(c.username), method: http.MethodPost, anonymous: true}
}

// openSession logs in the way that Bitbucket wants and makes sure that the session
// is known afterwards. It sends the password once.
func (c *Client) openSession(ctx context.Context) (*session, error) {
	s, err := newSession(c.now())
	if err != nil {
		return nil, err
	}
	enter, err := c.loginPage(ctx)
	if err != nil {
		return nil, err
	}
	closed, err := enter(ctx, s)
	if err != nil {
		return nil, c.unsent(err)
	}
	open, err := c.opened(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case !open:
		return nil, closed
	}
	return s, nil
}

// A passwordLogin sends the password. It returns what is wrong if the session is not
// known afterwards.
type passwordLogin func(context.Context, *session) (closed *Error, err error)

// unsent marks an error of a login: the request that needed it was not carried out.
func (c *Client) unsent(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.undone, e.lost = true, false
	}
	return err
}

// loginPage finds out, without the account, how Bitbucket takes a password: by the
// two-step verification resources of today or by the form of older versions and of
// atlassian.authentication.legacy.mode.
func (c *Client) loginPage(ctx context.Context) (passwordLogin, error) {
	q := loginCall(c)
	q.method, q.path = http.MethodGet, "/rest/tsv/latest/sso-management-status"
	a, err := c.send(ctx, q)
	if err != nil {
		return nil, c.unsent(err)
	}
	b := parseErrorBody(a)
	switch {
	case a.status == http.StatusNotFound:
		return c.enterForm, nil
	case a.status == http.StatusOK && !b.page, a.status == http.StatusUnauthorized && !b.page:
		return c.loginOption(ctx)
	}
	e := c.refusal(q, a)
	e.Advice = strings.TrimPrefix(e.Advice+"; or "+adviseLogin(c.username), "; or ")
	return nil, c.unsent(e)
}

// loginOption reads what the login page offers, where the version tells (from 9.4
// on, probably without a login).
func (c *Client) loginOption(ctx context.Context) (passwordLogin, error) {
	q := loginCall(c)
	q.method, q.path = http.MethodGet, "/rest/authconfig/latest/login-options"
	a, err := c.send(ctx, q)
	if err != nil {
		return nil, c.unsent(err)
	}
	var wire struct {
		Results []struct{ Type string }
	}
	if a.status != http.StatusOK || json.Unmarshal(a.body, &wire) != nil {
		return c.enterSteps, nil
	}
	var types []string
	for _, option := range wire.Results {
		types = append(types, option.Type)
	}
	switch {
	case len(types) == 0, slices.Contains(types, "LOGIN_FORM"):
		return c.enterSteps, nil
	case slices.Contains(types, "LEGACY_LOGIN_FORM") && c.codes == nil: // the form takes no code
		return c.enterForm, nil
	case slices.Contains(types, "LEGACY_LOGIN_FORM"):
		return c.enterSteps, nil
	}
	e := c.fault(q)
	e.kind, e.undone, e.Messages = ErrManualLogin, true, []string{"Bitbucket's login page offers an identity provider and no password"}
	e.Advice = "have a system administrator show the login form (Administration, Authentication methods), or " + adviseLogin(c.username)
	return nil, e
}

// enterForm logs in by the form of older versions. Its answer does not say whether
// the password was right.
func (c *Client) enterForm(ctx context.Context, s *session) (*Error, error) {
	q := loginCall(c)
	q.path, q.media, q.accept, q.session = "/j_atl_security_check", formMedia, "*/*", s
	q.body = []byte(url.Values{"j_username": {c.username}, "j_password": {c.password.Reveal()}, "submit": {"Log in"}}.Encode())
	a, err := c.send(ctx, q)
	if err != nil {
		return nil, err
	}
	if a.status >= http.StatusBadRequest {
		return nil, c.refusal(q, a)
	}
	closed := c.fault(q)
	closed.Status, closed.kind, closed.undone = a.status, ErrCredentials, true
	closed.Advice = c.adviseCredentials() + "; the form does not say why: it may want a CAPTCHA, too"
	return closed, nil
}

// enterSteps logs in by the resources of two-step verification.
func (c *Client) enterSteps(ctx context.Context, s *session) (*Error, error) {
	q := loginCall(c)
	q.path, q.session = "/rest/tsv/latest/authenticate", s
	q.body = encode(struct {
		Username   string `json:"username"`
		Password   string `json:"password"`
		RememberMe bool   `json:"rememberMe"`
		TargetURL  string `json:"targetUrl"`
	}{c.username, c.password.Reveal(), false, ""})
	a, err := c.send(ctx, q)
	switch {
	case err != nil:
	case a.status == http.StatusPreconditionFailed:
		err = c.secondStep(ctx, q, a)
	case !q.success(a.status):
		err = c.refusedLogin(q, a)
	}
	return c.sessionLost("Bitbucket accepted the login, and the next request came as nobody's"), err
}

func (c *Client) refusedLogin(q call, a answer) *Error {
	e := c.refusal(q, a)
	var wire struct{ CaptchaRequired bool }
	_ = json.Unmarshal(a.body, &wire)
	switch {
	case e.page || a.status != http.StatusUnauthorized:
	case wire.CaptchaRequired:
		return e.as(ErrCaptcha, c.adviseCaptcha())
	default:
		return e.as(ErrCredentials, c.adviseCredentials())
	}
	return e
}

// secondStep answers what Bitbucket asks for after the password.
func (c *Client) secondStep(ctx context.Context, q call, a answer) error {
	var wire struct{ ConversationID, NextLoginStep string }
	if err := decode(&wire)(a); err != nil {
		return c.broken(q, a, err)
	}
	switch e := c.refusal(q, a); {
	case wire.NextLoginStep == "ENROLLMENT":
		return e.as(ErrManualLogin, "two-step verification is enforced, and "+quote(c.username)+" has none: log in once in a browser, set it up, and store its secret for totp in admin")
	case wire.NextLoginStep != "TOTP_CODE_VERIFICATION" || wire.ConversationID == "":
		return e.as(ErrManualLogin, "log in once in a browser to see what Bitbucket asks for: "+quote(wire.NextLoginStep))
	case c.codes == nil:
		return e.as(ErrManualLogin, "Bitbucket asks for a code of two-step verification: store its secret in Vault and name it in the configuration, admin { totp { vault = ... } }")
	}
	return c.sendCode(ctx, q.session, wire.ConversationID)
}

// sendCode sends a code, and the next one where that is refused: another run may have
// used it in the same half minute.
func (c *Client) sendCode(ctx context.Context, s *session, conversation string) error {
	refusal, err := c.tryCode(ctx, s, conversation)
	if refusal != nil && refusal.Status == http.StatusUnauthorized && !refusal.page {
		refusal, err = c.tryCode(ctx, s, conversation)
	}
	switch {
	case err != nil:
		return err
	case refusal == nil:
		s.secondFactor = true
		return nil
	case refusal.Status == http.StatusUnauthorized && !refusal.page:
		return refusal.as(ErrCredentials, c.adviseCode())
	}
	return refusal
}

func (c *Client) tryCode(ctx context.Context, s *session, conversation string) (*Error, error) {
	code, err := c.code(ctx)
	if err != nil {
		return nil, err
	}
	q := loginCall(c)
	q.path, q.session = "/rest/tsv/latest/authenticate/totp-code", s
	q.secrets = []secret.Text{secret.New(conversation), secret.New(code)}
	q.body = encode(struct {
		ConversationID string `json:"conversationId"`
		TOTPCode       string `json:"totpCode"`
	}{conversation, code})
	a, err := c.send(ctx, q)
	if err != nil || q.success(a.status) {
		return nil, err
	}
	return c.refusal(q, a), nil
}

const formMedia = "application/x-www-form-urlencoded"
