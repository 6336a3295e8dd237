package main

import (
	"errors"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
)

// The exit codes; exitTable says what they mean.
const (
	exitDone    = 0
	exitError1  = 1
	exitPending = 2
	exitPartial = 3
	exitWaiting = 4
	exitRefused = 5
	exitStale   = 6
	exitTorn    = 8
	exitUsage   = 64
	exitConfig  = 78
)

const exitTable = `Exit status:
  0   in sync, or done
  1   error
  2   changes pending (plan, drift)
  3   some connections failed, the others are done
  4   waiting for a person to authorize
  5   refused by a safety rule
  6   the plan is stale
  8   the audit trail ends in an unfinished line
  64  wrong usage
  78  mistakes in the configuration`

// An exitError ends the process with a code. A nil err says that everything was
// told already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// told reports whether there is nothing to say of an error, or none.
func told(err error) bool {
	var exit *exitError
	return err == nil || errors.As(err, &exit) && exit.err == nil
}

func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return exit.code
	}
	return exitError1
}

// exit returns nil for 0, else an error that says nothing more.
func exit(code int) error {
	if code == exitDone {
		return nil
	}
	return &exitError{code: code}
}

// planExit is the code of a plan.
func planExit(p plan.Plan) int {
	shared := map[plan.State]int{}
	for _, b := range p.Bitbuckets {
		shared[b.State()]++
	}
	return stateExit(p.Summary().States, shared, len(p.Connections))
}

// stateExit is the code of a look at so many connections, by state: trouble
// first, then what apply would do, then what only a person can do. What another
// apply is at is neither.
func stateExit(states, shared map[plan.State]int, connections int) int {
	unreadable := states[plan.StateUnreadable]
	switch {
	case unreadable > 0 && unreadable == connections, unreadable == 0 && shared[plan.StateUnreadable] > 0:
		return exitError1
	case unreadable > 0:
		return exitPartial
	case states[plan.StateRefused]+shared[plan.StateRefused] > 0:
		return exitRefused
	case states[plan.StateChanges]+shared[plan.StateChanges] > 0:
		return exitPending
	case states[plan.StateWaiting] > 0:
		return exitWaiting
	}
	return exitDone
}

// applyExit is the code of an apply: failures first, then refusals, then what is
// stale, then what waits for a person.
func applyExit(r apply.Result) int {
	n := map[apply.Status]int{}
	for _, o := range r.Connections {
		n[o.Status]++
	}
	for _, o := range r.Bitbuckets {
		if o.Status != apply.Unchanged { // one that needed nothing says nothing
			n[o.Status]++
		}
	}
	failed := n[apply.Broken] + n[apply.NotRun]
	switch {
	case failed > 0 && n[apply.Applied]+n[apply.Waiting]+n[apply.Unchanged] == 0:
		return exitError1
	case failed > 0:
		return exitPartial
	case n[apply.Blocked] > 0:
		return exitRefused
	case n[apply.Stale] > 0:
		return exitStale
	case n[apply.Waiting] > 0:
		return exitWaiting
	}
	return exitDone
}
