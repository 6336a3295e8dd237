package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What went wrong, for errors.Is.
var (
	ErrNotFound    = errors.New("not found")       // the object, as Bitbucket itself says
	ErrNotServed   = errors.New("not served here") // the path or the method: nothing is known of the object
	ErrExists      = errors.New("exists already")
	ErrState       = errors.New("refused in its present state") // archived, read-only, offline
	ErrForbidden   = errors.New("not permitted")
	ErrCredentials = errors.New("username or password refused")
	ErrOAuth       = errors.New("OAuth login refused")
	ErrCaptcha     = errors.New("account locked behind a CAPTCHA")
	ErrManualLogin = errors.New("login needs a manual step")
	ErrSessionLost = errors.New("session not kept")
	ErrElevation   = errors.New("no secure administrator session")
	ErrGateway     = errors.New("refused by something in front of Bitbucket")
	ErrMoved       = errors.New("moved to another place")
	ErrPolicy      = errors.New("refused by the server's policy")
	ErrUnavailable = errors.New("not available now")
	ErrTooOld      = errors.New("not in this version of Bitbucket")
	ErrBadAnswer   = errors.New("answer not understood")
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
	Advice    string // what to do next, "" for nothing in particular

	kind       error         // one of the sentinels, or nil
	cause      error         // of the transport, or nil
	lost       bool          // it is not known whether the request was carried out
	undone     bool          // it certainly was not
	retryAfter time.Duration // as the server asked
	page       bool          // the answer was a web page
	wish       loginWish     // the login that the answer asks for
	moved      string        // where the object moved to, "" if it did not or that is not said
}

// Error tells what was being done, to which object, what the server said, and
// what can be done next.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(e.Op + " " + e.Object))
	b.WriteString(": ")
	b.WriteString(e.what())
	for _, m := range e.Messages {
		b.WriteString(": " + m)
	}
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	b.WriteString(e.request())
	return b.String()
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
