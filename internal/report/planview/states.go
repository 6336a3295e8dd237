package planview

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
)

// State returns a state in words.
func State(s plan.State) string {
	switch s {
	case plan.StateInSync:
		return "in sync"
	case plan.StateWaiting:
		return "waiting for a person"
	case plan.StateLeased:
		return "in progress elsewhere"
	case plan.StateUnreadable, plan.StateRefused, plan.StateChanges:
	}
	return plaintext.Line(string(s)) // a report that is read again may say anything
}

// StateAfterNumber returns a state as it reads after a number of connections.
func StateAfterNumber(s plan.State) string {
	if s == plan.StateChanges {
		return "to change"
	}
	return State(s)
}

// Count returns a number with its noun: "1 step", "2 steps".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
