// Package terminal shows plans, results, drift and diagnoses on a terminal. It returns
// text and prints nothing.
package terminal

import (
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
	return span{code, state.String()}
}
