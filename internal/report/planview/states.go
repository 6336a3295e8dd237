package planview

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/plan"
)

// StateAfterNumber returns a state as it reads after a number of connections.
func StateAfterNumber(s plan.State) string {
	if s == plan.StateChanges {
		return "to change"
	}
	return s.String()
}

// Count returns a number with its noun: "1 step", "2 steps".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
