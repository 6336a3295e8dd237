// Package report turns plans and results into what people and machines read.
// It returns text; it decides nothing, prints nothing and asks no system.
package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/bbsync/bbsync/internal/plan"
)

// A Style says how text looks. The zero Style is plain: every meaning is in a
// sign or a word, colour only repeats it.
type Style struct {
	Color bool
	Width int // of the terminal in columns; 0: unlimited
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// signCode is the colour of a sign by what it means.
func signCode(sign string) string {
	switch sign {
	case "+":
		return green
	case "-", "x":
		return red
	case "~", "w":
		return yellow
	case "!":
		return bold + ";" + yellow
	}
	return cyan
}

// stateSpan is a state in its colour.
func (s Style) stateSpan(state plan.State) span {
	code := yellow
	switch state {
	case plan.StateInSync:
		code = green
	case plan.StateUnreadable, plan.StateRefused:
		code = red
	case plan.StateWaiting, plan.StateLeased:
		code = bold + ";" + yellow
	case plan.StateChanges:
	}
	return span{code, string(state)}
}

// Safe makes text of another system harmless on a terminal: what would move its
// cursor, change its colours or turn the direction of what follows is shown
// escaped.
func Safe(text string) string {
	if !strings.ContainsFunc(text, unsafe) && utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			fmt.Fprintf(&out, `\x%02x`, text[i])
		case !unsafe(r):
			out.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&out, `\x%02x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// unsafe reports whether a terminal may take the rune for more than a letter:
// control characters but for the line's end and the tab, line separators, and
// the marks that turn the direction of writing.
func unsafe(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0:
		return true
	}
	return r == 0x061c || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff
}
