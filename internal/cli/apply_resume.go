package cli

import (
	"context"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
)

// resumeAfterAuthorization waits until the connections of an apply are authorized and
// applies the approved steps that are left. It holds no lease while it waits.
func (x *applying) resumeAfterAuthorization(ctx context.Context, applied plan.Plan, result apply.Result) error {
	reading, cancel := x.untilStopped(ctx)
	defer cancel()
	settled := x.run.Settled(applied)
	waits := waiting(result)
	p, err := settled.PlanOnly(reading, func(address string) bool { return waits[address] })
	if err != nil {
		return err
	}
	requests := authorize.Of(p)
	x.tellf("Waiting; apply continues on its own once you have clicked Allow.\n")
	if len(requests) > 1 {
		x.tellf("bbsync authorize in another terminal opens one page with a button for each.\n")
	}
	statuses, err := x.await(ctx, x.run, requests, &authorizeFlags{noOpen: true})
	if err != nil {
		return err
	}
	tally := exitcode.Tally{}
	tally.Requests(statuses)
	drop(waits, requests, statuses)
	if reading.Err() != nil {
		tally.Add(exitcode.Failed, len(waits))
	}
	if len(waits) == 0 || reading.Err() != nil {
		return exit(int(tally.Code()))
	}
	if p, err = settled.PlanOnly(reading, func(address string) bool { return waits[address] }); err != nil {
		return err
	}
	approved := fleet.AsLeft(p, result)
	for _, o := range approved.Outdated {
		x.tellf("%s\n", o.Err)
	}
	tally.Add(exitcode.Outdated, len(approved.Outdated))
	approved.Outdated = nil
	if len(approved.Plan.Connections) > 0 {
		if _, err := x.settled(settled).applyOnce(ctx, approved); err != nil {
			return err
		}
	}
	return exit(int(tally.Code()))
}

// settled returns the command with another run.
func (x *applying) settled(run *fleet.Run) *applying {
	out := *x
	out.run = run
	return &out
}

// drop removes the connections that are not authorized yet.
func drop(addresses map[string]bool, requests []authorize.Request, statuses []authorize.Status) {
	for i, r := range requests {
		if statuses[i].State != authorize.Done {
			delete(addresses, r.Address)
		}
	}
}

// waiting returns the addresses of the connections that wait for authorization.
func waiting(r apply.Result) map[string]bool {
	out := map[string]bool{}
	for _, o := range r.Connections {
		if o.Status == apply.Waiting {
			out[o.Address] = true
		}
	}
	return out
}
