package bitbucket

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/bbsync/bbsync/internal/httpx"
)

// refusal makes the Error of an answer that is not a success.
func (c *Client) refusal(q call, a answer) *Error {
	b := parseErrorBody(a)
	e := c.fault(q)
	e.Status, e.Messages, e.Exception, e.page = a.status, b.messages, b.exception, b.page
	e.RequestID = escape(a.header.Get("X-Arequestid"))
	e.kind = classify(q, a, b)
	switch a.status {
	case http.StatusTooManyRequests:
		e.undone, e.retryAfter = true, advice(a.header).RetryAfter
	case http.StatusInternalServerError:
		e.lost = true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.lost, e.retryAfter = true, advice(a.header).RetryAfter
	}
	if redirect := c.redirect(q, a); redirect != nil {
		e.Messages, e.Advice = []string{escape(redirect.Error())}, httpx.Advice(redirect)
		if httpx.ByGateway(redirect) {
			e.kind = ErrGateway
		}
	}
	if where, moved := movedTo(a, b); moved {
		e.kind, e.moved, e.lost = ErrMoved, where, false
	}
	e.wish = wishOf(q, a, b)
	if advice := c.advise(q, a, b, e); advice != "" {
		e.Advice = advice
	}
	if q.signed {
		c.refuseSigned(a, b, e)
	}
	return e
}

// wishOf returns the login that a refusal asks for.
func wishOf(q call, a answer, b errorBody) loginWish {
	switch {
	case q.anonymous:
	case q.session == nil && !q.signed && basicOff(a, b):
		return wishSession
	case q.session != nil && needsElevation(a, b):
		return wishElevation
	case q.session != nil && a.status == http.StatusUnauthorized && !b.page && !named(a) && !q.session.unnamed.Load():
		return wishNewLogin
	}
	return wishNothing
}

// basicOff reports whether a refusal is that of Basic authentication, which is
// switched off: Bitbucket has looked at the setting and not at the password. Its
// text is translated; its shape is that of no other refusal.
func basicOff(a answer, b errorBody) bool {
	return a.status == http.StatusForbidden && !b.page && !b.listed && b.code == 0 && len(b.messages) > 0 && !named(a) &&
		!strings.HasPrefix(b.messages[0], "XSRF")
}

// classify tells the kinds of refusals apart. Bitbucket answers 401 both to a
// wrong password and to a missing permission.
func classify(q call, a answer, b errorBody) error {
	switch {
	case strings.Contains(b.exception, "Captcha"),
		strings.Contains(a.header.Get("X-Authentication-Denied-Reason"), "CAPTCHA"):
		return ErrCaptcha
	case b.page && (refusedByGateway(a.status) || b.web.Asks()):
		return ErrGateway
	case a.status == http.StatusUnauthorized && (q.anonymous || q.session != nil || q.signed || admitted(a, b)), a.status == http.StatusForbidden:
		return ErrForbidden
	case a.status == http.StatusUnauthorized:
		return ErrCredentials
	case a.status == http.StatusNotFound && b.ofObject(a.status):
		return ErrNotFound
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		return ErrNotServed
	case a.status == http.StatusConflict && inState(b.exception):
		return ErrState
	case a.status == http.StatusConflict:
		return ErrExists
	case a.status == http.StatusTooManyRequests:
		return ErrRateLimited
	case a.status == http.StatusBadGateway, a.status == http.StatusServiceUnavailable, a.status == http.StatusGatewayTimeout:
		return ErrUnavailable
	case a.status < http.StatusBadRequest:
		return ErrBadAnswer
	case a.status == http.StatusBadRequest, a.status == http.StatusUnprocessableEntity:
		return ErrInvalid
	case a.status >= http.StatusInternalServerError:
		return ErrServer
	}
	return nil
}

// inState reports whether an exception is about the state of a repository. The names
// are those of the vendor's Java API; none was seen in an answer.
func inState(exception string) bool {
	for _, end := range []string{"ArchivedException", "ReadOnlyException", "OfflineException", "InconsistentException"} {
		if strings.HasSuffix(exception, ".Repository"+end) {
			return true
		}
	}
	return false
}

// refusedByGateway reports whether a page with this status is a refusal by
// something in front of Bitbucket, whose own refusals are no pages. 404 and the
// server errors come as pages from Bitbucket's container, too.
func refusedByGateway(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusNotFound && status != http.StatusTooManyRequests
}

// admitted reports whether a 401 came after the password was accepted: the
// answer names the account, or the exception is the one for permissions, or the
// answer has the shape of a plugin's REST module ({"status-code":401,...}), which
// is asked only after the core let the account in.
func admitted(a answer, b errorBody) bool {
	return named(a) || strings.HasSuffix(b.exception, ".AuthorisationException") || b.module
}

// named reports whether the answer names the account that the request was made as.
// Bitbucket does so in all answers of REST (documented for none, seen in all
// recordings).
func named(a answer) bool { return a.header.Get("X-Ausername") != "" && !nobody(a) }

// nobody reports whether the answer says that the request came without an account.
func nobody(a answer) bool { return a.header.Get("X-Ausername") == "anonymous" }

// stranger reports whether a good answer is one to a request without an account. A
// session that is over has such answers, without the header that named the account
// when it was opened; so has a signed request where OAuth was switched off.
func stranger(q call, a answer) bool {
	return nobody(a) || q.signed && q.method == http.MethodGet && !named(a) || q.session != nil && q.method == http.MethodGet && !named(a) && !q.session.unnamed.Load()
}

// dropped is the Error of a good answer to a request that arrived without its
// account: what it shows is what strangers see.
func (c *Client) dropped(q call, a answer) *Error {
	e := c.fault(q)
	e.Status, e.kind, e.RequestID = a.status, ErrForbidden, escape(c.redact.String(a.header.Get("X-Arequestid")))
	e.Messages = []string{"Bitbucket answered as to a request without an account"}
	e.Advice = "check that nothing in front of Bitbucket drops the Authorization header"
	if q.signed {
		e.Advice += ", and that OAuth 1.0a is not switched off; or " + advisePassword
	}
	if q.session != nil {
		e.Advice = adviseSticky
		if q.method == http.MethodGet {
			e.wish = wishNewLogin
		}
	}
	return e
}

// redirect returns where an answer points, nil if it is no redirect.
func (c *Client) redirect(q call, a answer) *httpx.RedirectError {
	to, err := url.Parse(c.base.String() + q.path)
	if err != nil { // it was sent
		to = c.base
	}
	redirect, _ := errors.AsType[*httpx.RedirectError](httpx.Redirected(a.response(&http.Request{URL: to})))
	return redirect
}

// xsrf reports whether the server's check against forged requests refused. Its
// page has no other mark than the word.
func xsrf(e *Error) bool { return strings.Contains(strings.Join(e.Messages, " "), "XSRF") }

// advise says what can be done about a refusal in general.
func (c *Client) advise(q call, a answer, b errorBody, e *Error) string {
	switch {
	case errors.Is(e.kind, ErrMoved):
		return adviseMoved(e.moved)
	case errors.Is(e.kind, ErrGateway) && e.Advice == "":
		return c.adviseGateway(q, b, e)
	case e.Status >= 300 && e.Status < 400 && e.Advice != "":
		return ""
	case q.anonymous && errors.Is(e.kind, ErrForbidden):
		return "this was asked without an account, as Bitbucket allows; check whether something in front of it wants a login for " + e.Path
	case errors.Is(e.kind, ErrCredentials):
		return c.adviseCredentials()
	case errors.Is(e.kind, ErrCaptcha):
		return c.adviseCaptcha()
	case errors.Is(e.kind, ErrForbidden) && xsrf(e):
		return "either a proxy drops the header X-Atlassian-Token, or the account is locked behind a CAPTCHA: log in once in a browser"
	case e.wish == wishSession:
		return adviseLogin(c.username)
	case errors.Is(e.kind, ErrForbidden):
		return c.adviseForbidden(q, a, e)
	}
	return ""
}

func adviseMoved(where string) string {
	if where == "" {
		return "it was moved or renamed; write its new project and name in the configuration"
	}
	return "it is now " + where + "; write that in the configuration"
}

// adviseGateway says which requests something in front of Bitbucket has to let
// pass. Permissions on Bitbucket have no part in it.
func (c *Client) adviseGateway(q call, b errorBody, e *Error) string {
	text := "Bitbucket has not answered this: a firewall, gateway or single sign-on in front of it has; have it let " + e.Method +
		" requests to " + e.Path + " pass"
	if b.web.Asks() {
		text = b.web.Advice("Bitbucket")
	}
	if e.Status == http.StatusUnauthorized && !q.anonymous {
		text += "; stopped using " + quote(c.username) + " to avoid locking it"
	}
	return text
}

// adviseForbidden names the permission that is missing, or what else may be wrong
// where the answer does not name the account.
func (c *Client) adviseForbidden(q call, a answer, e *Error) string {
	text := "this takes an account with global ADMIN permission: check that " + quote(c.username) + " has it"
	if strings.HasPrefix(e.Path, c.base.EscapedPath()+"/rest/api/") {
		text = "give " + quote(c.username) + " the permission for this, or use an account that has it"
	}
	if named(a) {
		return text
	}
	if q.session != nil {
		return "the answer does not name the account (header X-AUSERNAME), as if the session were over: " + adviseSticky + "; else " + text
	}
	return "the answer does not name the account (header X-AUSERNAME), as if the request had come without it:" +
		" check that nothing in front of Bitbucket drops the Authorization header; if nothing does, " + text
}

func quote(name string) string { return `"` + escape(name) + `"` }
