package exitcode

import (
	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/plan"
)

// OfState returns the outcome of a connection, or a Bitbucket, that was only
// read and planned. A state that is not known counts as failed.
func OfState(s plan.State) Outcome {
	switch s {
	case plan.StateInSync:
		return Finished
	case plan.StateChanges:
		return Planned
	case plan.StateRefused:
		return Blocked
	case plan.StateLeased:
		return Held
	case plan.StateWaiting:
		return Awaited
	case plan.StateUnreadable:
	}
	return Failed
}

// OfStatus returns the outcome of a connection, or a Bitbucket, that an apply
// carried out. A status that is not known counts as failed.
func OfStatus(s apply.Status) Outcome {
	switch s {
	case apply.Applied, apply.Unchanged:
		return Finished
	case apply.Blocked:
		return Blocked
	case apply.Stale:
		return Outdated
	case apply.Waiting:
		return Awaited
	case apply.Leased:
		return Held
	case apply.Later:
		return Deferred
	case apply.Broken, apply.NotRun:
	}
	return Failed
}

// OfRequest returns the outcome of waiting for a person. A state that is not
// known counts as failed.
func OfRequest(s authorize.Status) Outcome {
	switch s.State {
	case authorize.Done:
		return Finished
	case authorize.Waiting, authorize.Dead:
		return Awaited
	case authorize.WrongUser:
		if s.Old {
			return Awaited
		}
	case authorize.Gone, authorize.Unknown:
	}
	return Failed
}
