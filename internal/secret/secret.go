// Package secret holds texts that must not be seen: passwords, tokens, private
// keys. A Text prints as "(redacted)" wherever it is formatted, marshalled or
// logged. The package does not store, fetch or encrypt anything.
package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
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

// ErrLineBreak is the error of a credential that holds a line break.
var ErrLineBreak = errors.New("it holds a line break inside, or more than one at its end")

// OneLine returns a credential without the one line break that editors, echo and
// mounted files leave at its end, and whether there was one. Any other line break
// is ErrLineBreak: no password or token has one, and a login with it would count
// as a wrong one.
func (t Text) OneLine() (_ Text, dropped bool, _ error) {
	text := t.Reveal()
	line, dropped := strings.CutSuffix(text, "\n")
	if dropped {
		line = strings.TrimSuffix(line, "\r")
	}
	if strings.ContainsAny(line, "\r\n") {
		return Text{}, false, ErrLineBreak
	}
	return New(line), dropped, nil
}
