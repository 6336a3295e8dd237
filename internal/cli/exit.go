package cli

import (
	"errors"

	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/plan"
)

// The exit codes, which package exitcode defines.
const (
	exitDone    = int(exitcode.Done)
	exitFailure = int(exitcode.Failure)
	exitPending = int(exitcode.Pending)
	exitPartial = int(exitcode.Partial)
	exitWaiting = int(exitcode.Waiting)
	exitRefused = int(exitcode.Refused)
	exitStale   = int(exitcode.Stale)
	exitLeased  = int(exitcode.Leased)
	exitTorn    = int(exitcode.Torn)
	exitUsage   = int(exitcode.Usage)
	exitConfig  = int(exitcode.Config)
)

// An exitError ends the process with a code. With a nil err everything was printed
// already.
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

// told reports whether an error was printed already, or is nil.
func told(err error) bool {
	var exit *exitError
	return err == nil || errors.As(err, &exit) && exit.err == nil
}

func exitCode(err error) int {
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	return int(exitcode.Of(err))
}

// exit returns nil for 0, else an error that prints nothing.
func exit(code int) error {
	if code == exitDone {
		return nil
	}
	return &exitError{code: code}
}

// planExit returns the exit code of a plan.
func planExit(p plan.Plan) int {
	t := exitcode.Tally{}
	t.Plan(p)
	return int(t.Code())
}
