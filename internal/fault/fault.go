// Package fault names what can go wrong with another system. A decision about an
// error is made by its kind, from the adapter that met it to the exit code, and
// never by its text.
package fault

import (
	"cmp"
	"errors"
	"strings"
)

// A Kind is what went wrong, independent of the system. The text is for machines.
type Kind string

// The kinds.
const (
	Other             Kind = ""                   // not told apart
	CredentialRefused Kind = "credential_refused" // wrong, expired or revoked
	AccountLocked     Kind = "account_locked"     // until someone unlocks it
	ManualLogin       Kind = "manual_login"       // the login asks for something that only a person can do
	SessionLost       Kind = "session_lost"       // the server forgets the login
	Forbidden         Kind = "forbidden"          // the credential is good, its permissions are not enough
	Missing           Kind = "missing"            // the object does not exist, or is hidden from the credential
	Deleted           Kind = "deleted"            // it existed and can perhaps be restored
	Moved             Kind = "moved"              // it is at another place
	Conflict          Kind = "conflict"           // it exists already, or someone else changed it
	WrongState        Kind = "wrong_state"        // archived, read-only, offline
	Invalid           Kind = "invalid"            // the server rejects the values
	PolicyRefused     Kind = "policy_refused"     // a rule of the server's administrators forbids it
	NotEntitled       Kind = "not_entitled"       // the organization's plan does not include it
	Unsupported       Kind = "unsupported"        // this release of the server does not have it
	Misconfigured     Kind = "misconfigured"      // bbsync's configuration names what is not there
	RateLimited       Kind = "rate_limited"       // too many requests
	Unavailable       Kind = "unavailable"        // no answer, or one that says so
	BrokenAnswer      Kind = "broken_answer"      // an answer of another shape than documented
	Gateway           Kind = "gateway"            // something in front of the server answered
	UnknownOutcome    Kind = "unknown_outcome"    // a write may or may not have happened
	Leased            Kind = "leased"             // another run is working on the connection
	LeaseLost         Kind = "lease_lost"         // the connection is no longer this run's to change
	Untrusted         Kind = "untrusted"          // what was read contradicts itself, or a key is not the expected one
)

// A Fault is one kind of error of one system: the value that an adapter's errors
// wrap. Each adapter declares its own, with how to fix each.
type Fault struct { //nolint:errname // it is the kind, and the errors are the adapters'
	Kind Kind
	Text string
	Fix  string // what to do when the error says nothing more precise; "" for nothing in general

	under error // the more general fault that it is, too
}

// New returns a fault as an error, for errors.Is.
func New(kind Kind, text, fix string) error { return &Fault{Kind: kind, Text: text, Fix: fix} }

// Under returns a fault that is a case of another one: errors.Is finds both.
func Under(general error, kind Kind, text, fix string) error {
	return &Fault{Kind: kind, Text: text, Fix: fix, under: general}
}

func (f *Fault) Error() string { return f.Text }

// Unwrap returns the more general fault, if there is one.
func (f *Fault) Unwrap() error { return f.under }

// KindOf returns the kind of an error: that of the first fault it wraps.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Kind
	}
	return Other
}

// An Explainer is an error that keeps apart what happened and how to fix it.
type Explainer interface {
	error
	Explain() (cause, fix string)
}

// Explain returns what happened and how to fix it. Where the error has no fix of
// its own, it is the one of its kind.
func Explain(err error) (cause, fix string) {
	if err == nil {
		return "", ""
	}
	cause = err.Error()
	if e, ok := errors.AsType[Explainer](err); ok {
		var inner string
		inner, fix = e.Explain()
		cause = before(cause, e.Error()) + inner
	}
	if fix == "" {
		fix = Fix(err)
	}
	return cause, fix
}

// Text returns the text of an error of this kind that explains itself: what happened,
// and in parentheses how to fix it.
func Text(e Explainer, kind error) string {
	cause, fix := e.Explain()
	if fix = cmp.Or(fix, Fix(kind)); fix != "" {
		cause += " (" + fix + ")"
	}
	return cause
}

// Fix returns how to fix errors of this kind; "" when nothing can be said in general.
func Fix(err error) string {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Fix
	}
	return ""
}

// before returns what a wrapping error says before the wrapped one.
func before(outer, inner string) string {
	text, found := strings.CutSuffix(outer, inner)
	if !found {
		return ""
	}
	return text
}
