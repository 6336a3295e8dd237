package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/fault"
)

// What can go wrong, for errors.Is, and how to fix each.
var (
	// ErrNotFound is about the object, as Bitbucket itself says.
	ErrNotFound = fault.New(fault.Missing, "not found", "")
	// ErrNotServed is about the path or the method: nothing is known of the object.
	ErrNotServed = fault.New(fault.Unsupported, "not served here",
		"check the url's context path, and what stands between bbsync and Bitbucket; an older version may lack this resource")
	ErrExists = fault.New(fault.Conflict, "exists already", "")
	// ErrState is about an archived, read-only or offline repository.
	ErrState = fault.New(fault.WrongState, "refused in its present state",
		"unarchive or repair the repository in Bitbucket, or take it out of the configuration")
	ErrForbidden   = fault.New(fault.Forbidden, "not permitted", "use an account with global ADMIN permission")
	ErrCredentials = fault.New(fault.CredentialRefused, "username or password refused", "check the username and the password")
	ErrSignature   = fault.New(fault.CredentialRefused, "OAuth signature or token refused", "compare the keys on both sides, then authorize again")
	ErrOAuth       = fault.New(fault.CredentialRefused, "OAuth login refused", "run bbsync login again")
	ErrCaptcha     = fault.New(fault.AccountLocked, "account locked behind a CAPTCHA", "log in once in a browser and solve the CAPTCHA, then check the password")
	ErrManualLogin = fault.New(fault.ManualLogin, "login needs a manual step", "log in once in a browser to see what it asks for")
	ErrSessionLost = fault.New(fault.SessionLost, "session not kept", adviseSticky)
	ErrElevation   = fault.New(fault.Forbidden, "no secure administrator session", "open Bitbucket's administration in a browser to see what it asks for")
	ErrGateway     = fault.New(fault.Gateway, "refused by something in front of Bitbucket", "let bbsync's requests pass through what is in front of Bitbucket")
	ErrMoved       = fault.New(fault.Moved, "moved to another place", adviseMoved(""))
	ErrPolicy      = fault.New(fault.PolicyRefused, "refused by the server's policy", "")
	ErrInvalid     = fault.New(fault.Invalid, "rejected as invalid", "")
	ErrServer      = fault.New(fault.Unavailable, "error on the server", "see the server's log for the request")
	ErrUnavailable = fault.New(fault.Unavailable, "not available now", "try again later")
	ErrRateLimited = fault.Under(ErrUnavailable, fault.RateLimited, "not available now", "set rate_limit lower, or have a system administrator exempt the account")
	ErrTooOld      = fault.New(fault.Unsupported, "not in this version of Bitbucket", "")
	ErrBadAnswer   = fault.New(fault.BrokenAnswer, "answer not understood", "check what stands between bbsync and Bitbucket")
)

// An Error is what Bitbucket, or the way to it, answered to one request.
type Error struct {
	Op        string   // what was being done: "reading the SSH keys of"
	Object    string   // to what: `user "svc-terraform"`
	Status    int      // 0: no answer
	Messages  []string // what the server said, escaped for terminals
	Exception string   // the server's class of exception, "" for none
	RequestID string   // by which the server's log knows the request, "" for none
	Method    string
	Path      string // without the query
	Advice    string // what to do next; "" if the kind says enough

	kind       error         // one of the faults above, or nil
	cause      error         // of the transport, or nil
	lost       bool          // it is not known whether the request was carried out
	undone     bool          // it certainly was not
	retryAfter time.Duration // as the server asked
	page       bool          // the answer was a web page
	wish       loginWish     // the login that the answer asks for
	moved      string        // where the object moved to, "" if it did not or that is not said
}

// Error says what was being done, to which object, what the server said, and what
// can be done next.
func (e *Error) Error() string {
	text := e.said()
	if fix := e.fix(); fix != "" {
		text += "; " + fix
	}
	return text + e.request()
}

// Explain implements fault.Explainer.
func (e *Error) Explain() (cause, fix string) { return e.said() + e.request(), e.Advice }

// fix returns the advice, or what can be done about all errors of this kind.
func (e *Error) fix() string {
	if e.Advice != "" {
		return e.Advice
	}
	return fault.Fix(e.kind)
}

// said names the operation, the object, and the server's answer.
func (e *Error) said() string {
	parts := append([]string{strings.TrimSpace(e.Op + " " + e.Object), e.what()}, e.Messages...)
	return strings.Join(parts, ": ")
}

func (e *Error) what() string {
	var parts []string
	if e.kind != nil {
		parts = append(parts, e.kind.Error())
	}
	if e.cause != nil {
		parts = append(parts, escape(e.cause.Error()))
	}
	if e.Status != 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))))
	}
	return strings.Join(parts, ": ")
}

// refusal says what the answer was and which request had it, without the object
// and the advice.
func (e *Error) refusal() string {
	parts := append([]string{strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))}, e.Messages...)
	return strings.Join(parts, ": ") + e.request()
}

// request names the request, as in " (GET /rest/x, request @1)".
func (e *Error) request() string {
	if e.Method == "" {
		return ""
	}
	text := " (" + e.Method + " " + e.Path
	if e.RequestID != "" {
		text += ", request " + e.RequestID
	}
	return text + ")"
}

// Unwrap returns the sentinel and the transport's error.
func (e *Error) Unwrap() []error {
	var list []error
	for _, err := range []error{e.kind, e.cause} {
		if err != nil {
			list = append(list, err)
		}
	}
	return list
}

// as returns a copy of the error with another kind and advice.
func (e *Error) as(kind error, advice string) *Error {
	c := *e
	c.kind, c.Advice = kind, advice
	return &c
}

// status returns the HTTP status of an error of this package, 0 for none.
func status(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// lost reports whether it is unknown if the request was carried out.
func lost(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.lost
}
