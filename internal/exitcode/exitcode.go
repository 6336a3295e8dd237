// Package exitcode decides the exit code of every command. A command turns each
// unit of its work (a connection, a Bitbucket, a request to authorize) into an
// Outcome and asks the Tally of them for the code: work left undone is never 0.
package exitcode

import (
	"fmt"
	"strings"
)

// A Code is the exit code of a process.
type Code int

// The exit codes.
const (
	Done    Code = 0
	Failure Code = 1
	Pending Code = 2
	Partial Code = 3
	Waiting Code = 4
	Refused Code = 5
	Stale   Code = 6
	Leased  Code = 7
	Torn    Code = 8
	Usage   Code = 64
	Config  Code = 78
)

// A Meaning is a row of the table of exit codes.
type Meaning struct {
	Code Code
	Text string
}

// Meanings returns the table of exit codes, in order.
func Meanings() []Meaning {
	return []Meaning{
		{Done, "in sync, or done"},
		{Failure, "error"},
		{Pending, "changes pending (plan, drift)"},
		{Partial, "some connections failed, the others are done"},
		{Waiting, "waiting for a person to authorize"},
		{Refused, "refused by a safety rule"},
		{Stale, "the plan file is stale, edited, or not the approved one"},
		{Leased, "another run holds a lease, work is left undone"},
		{Torn, "the audit trail ends in an unfinished line (audit verify)"},
		{Usage, "wrong usage"},
		{Config, "errors in the configuration"},
	}
}

// Table returns the table of exit codes for a help text.
func Table() string {
	var b strings.Builder
	b.WriteString("Exit status:")
	for _, m := range Meanings() {
		fmt.Fprintf(&b, "\n  %-3d %s", m.Code, m.Text)
	}
	return b.String()
}

// An Outcome is how one unit of work ended.
type Outcome int

// The outcomes. The zero Outcome is none of them and counts as failed.
const (
	Unknown  Outcome = iota
	Finished         // nothing is left to do
	Failed           // failed, could not be read, or was interrupted
	Blocked          // refused by a safety rule
	Outdated         // changed after it was planned
	Planned          // has changes that were only planned
	Held             // another run holds its lease
	Awaited          // waits for a person
	Deferred         // not begun, as another unit goes first
)

// A Tally counts the outcomes of a command.
type Tally map[Outcome]int

// Add counts n more units of an outcome.
func (t Tally) Add(o Outcome, n int) { t[o] += n }

// Code returns the exit code: failures first, then what a person has to decide,
// then what running again may cure. It is Done only if every unit is Finished.
func (t Tally) Code() Code {
	failed, units := 0, 0
	for o, n := range t {
		units += n
		if o <= Unknown || o > Deferred || o == Failed {
			failed += n
		}
	}
	switch {
	case failed > 0 && failed+t[Deferred] == units: // what was not begun is no success
		return Failure
	case failed > 0:
		return Partial
	case t[Blocked] > 0:
		return Refused
	case t[Outdated] > 0:
		return Stale
	case t[Planned] > 0:
		return Pending
	case t[Held] > 0:
		return Leased
	case t[Awaited] > 0:
		return Waiting
	case t[Deferred] > 0:
		return Pending
	}
	return Done
}
