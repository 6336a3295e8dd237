// Package notify sends messages about a fleet's drift through a webhook: to a chat, or
// signed to a program. It decides nothing about the fleet.
package notify

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

// A chat shows so many lines before it folds them, and Slack cuts a message at
// 40,000 characters.
const (
	mostLines = 20
	longest   = 600
)

// Message tells what changed, and the whole in one line.
func Message(d drift.Report, changed []drift.Change, recovered bool) string {
	lines := []string{plaintext.Sprintf("bbsync: fleet %s is not as it was at the last look", d.Fleet)}
	if recovered {
		lines = append(lines, "The fleet can be read again.")
	}
	for i, e := range changed {
		if i == mostLines {
			lines = append(lines, fmt.Sprintf("... and %d more", len(changed)-i))
			break
		}
		lines = append(lines, plaintext.Cut(terminal.DriftLine(e.Entry), longest)+since(e))
	}
	return strings.Join(append(lines, terminal.DriftSummary(d)), "\n")
}

// since says how an entry that was out of sync was before, and from when on.
func since(c drift.Change) string {
	if c.BeforeSince.IsZero() || c.Before == plan.StateInSync {
		return ""
	}
	return plaintext.Sprintf(" (before: %s, since %s)", c.Before.String(), c.BeforeSince.UTC().Format("2006-01-02 15:04 UTC"))
}

// Failure tells that the look as a whole failed.
func Failure(fleet string, err error) string {
	return plaintext.Sprintf("bbsync: fleet %s cannot be looked at: %s", fleet, plaintext.Cut(plaintext.Sprintf("%v", err), longest))
}
