package cli

import (
	"context"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/authorize"
	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// goOn waits for the people that an apply ended with, and carries out what was
// approved already and is left. Nobody holds a lease meanwhile.
func (a *app) goOn(ctx context.Context, s *session, result apply.Result, f *applyFlags, t *teller) error {
	reading, cancel := a.untilStopped(ctx)
	defer cancel()
	waited := waiting(s.connections, result)
	p, err := s.plan(reading, waited)
	if err != nil {
		return err
	}
	requests := authorize.Of(p)
	a.tellf("No need to run bbsync apply again: it waits, and goes on by itself.\n")
	if len(requests) > 1 {
		a.tellf("bbsync authorize, in another terminal, has one page with a button for each.\n")
	}
	statuses, err := a.await(ctx, s, requests, &authorizeFlags{noOpen: true})
	if err != nil {
		return err
	}
	tally := exitcode.Tally{}
	tally.Requests(statuses)
	connections := without(waited, requests, statuses)
	if reading.Err() != nil {
		tally.Add(exitcode.Failed, len(connections))
	}
	if len(connections) == 0 || reading.Err() != nil {
		return exit(int(tally.Code()))
	}
	if p, err = s.plan(reading, connections); err != nil {
		return err
	}
	approved, changed := a.approved(p, result)
	if len(approved.Connections) > 0 {
		if _, err := a.carryOnce(ctx, s, approved, f, t); err != nil {
			return err
		}
	}
	tally.Add(exitcode.Outdated, changed)
	return exit(int(tally.Code()))
}

// without returns the connections but for those that still need a person.
func without(connections []*schema.Connection, requests []authorize.Request, statuses []authorize.Status) []*schema.Connection {
	open := map[string]bool{}
	for i, r := range requests {
		open[r.Address] = statuses[i].State != authorize.Done
	}
	var out []*schema.Connection
	for _, c := range connections {
		if !open[c.Address] {
			out = append(out, c)
		}
	}
	return out
}

// waiting returns the connections that ended waiting for a person.
func waiting(connections []*schema.Connection, r apply.Result) []*schema.Connection {
	waits := map[string]bool{}
	for _, o := range r.Connections {
		waits[o.Address] = o.Status == apply.Waiting
	}
	var out []*schema.Connection
	for _, c := range connections {
		if waits[c.Address] {
			out = append(out, c)
		}
	}
	return out
}

// approved narrows a plan to connections whose steps are of the kinds that were
// left when the waiting began: those were shown and approved. What somebody
// changed meanwhile is told of and left.
func (a *app) approved(p plan.Plan, result apply.Result) (_ plan.Plan, changed int) {
	kinds := map[string]bool{}
	for _, o := range result.Connections {
		for _, step := range o.Left {
			kinds[o.Address+" "+step.Kind()] = true
		}
	}
	out := plan.Plan{Fleet: p.Fleet}
	for _, c := range p.Connections {
		same := true
		for _, step := range c.Steps() {
			same = same && kinds[c.Address+" "+step.Kind()]
		}
		if same {
			out.Connections = append(out.Connections, c)
			continue
		}
		changed++
		a.tellf("%s changed while it waited; run bbsync plan to see how\n", c.Address)
	}
	return out, changed
}
