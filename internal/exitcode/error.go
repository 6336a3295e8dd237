package exitcode

import (
	"errors"

	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/fleet"
)

// Of returns the code of an error that ended a command before any unit of its work
// did. It goes by the error's type, and never by its text.
func Of(err error) Code {
	if err == nil {
		return Done
	}
	if fault.KindOf(err) == fault.Leased {
		return Leased
	}
	refused, ok := errors.AsType[*fleet.Error](err)
	if !ok {
		return Failure
	}
	switch refused.Kind {
	case fleet.Usage:
		return Usage
	case fleet.Refused:
		return Refused
	case fleet.Stale:
		return Stale
	}
	return Failure
}
