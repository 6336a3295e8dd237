// Package secret holds texts that must not be seen: passwords, tokens, private
// keys. A Text prints as "(redacted)" wherever it is formatted, marshalled or
// logged. The package does not store, fetch or encrypt anything.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "(redacted)"

// A Text is a secret. The zero Text is empty and means "no secret".
//
// The value is behind a func so that reflection-based printers (%#v of a
// surrounding struct, spew, a debugger's JSON) find a pointer and not the text.
type Text struct{ reveal func() string }

// New returns a Text that holds s.
func New(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{reveal: func() string { return s }}
}

// Reveal returns the secret. Only the adapters, which hand it to the system it
// belongs to, call it.
func (t Text) Reveal() string {
	if t.reveal == nil {
		return ""
	}
	return t.reveal()
}

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t.reveal == nil }

// Equal reports whether both hold the same secret, in constant time for equal
// lengths.
func (t Text) Equal(u Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(u.Reveal())) == 1
}

// String returns "(redacted)", or "" for an empty Text.
func (t Text) String() string {
	if t.Empty() {
		return ""
	}
	return redacted
}

// GoString returns what String does.
func (t Text) GoString() string { return t.String() }

// Format writes what String returns, whatever the verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// MarshalText returns what String does, so that JSON, YAML and flags are safe.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// LogValue returns what String does.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }
