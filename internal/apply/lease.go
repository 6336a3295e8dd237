package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

// leased takes the connection's lease, makes sure that what was planned still
// holds, runs the steps and gives the lease back.
func (e *executor) leased(ctx context.Context, c plan.Connection) Outcome {
	out := Outcome{Address: c.Address, Left: plan.AnySteps(c.Steps())}
	var broken *record.Lease
	if s := c.Breaks(); s != nil {
		broken = &record.Lease{Holder: s.Holder, Taken: s.Taken}
	}
	held, err := e.acquire(ctx, c.Address, c.Record, described(record.Record{}, e.fleet, c.Target), broken)
	if err != nil {
		out.Status, out.Err = statusOf(err), fmt.Errorf("%s: taking the lease: %w", c.Address, err)
		return out
	}
	defer e.release(ctx, c.Address, held)
	if record.Facts(held.Record(), 0).Basis() != c.Basis {
		planned := c
		if c, err = e.replanned(ctx, planned); err != nil {
			out.Status, out.Err = Stale, err
			return out
		}
		if s := planned.Breaks(); s != nil && c.Breaks() == nil { // done by now, and the audit trail keeps it
			c.Changes = slices.Insert(slices.Clone(c.Changes), 0, plan.Change{Step: *s})
		}
		if len(c.Changes) == 0 {
			return Outcome{Address: c.Address, Status: Unchanged}
		}
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the lease, at the latest by release
		select {
		case <-held.Lost():
			cancel()
		case <-running.Done():
		}
	}()
	r := &runner{executor: e, Target: c.Target, held: held}
	if !c.Removal {
		if err := r.describe(running); err != nil {
			out.Status, out.Err = Broken, fmt.Errorf("%s: noting what it is: %w", c.Address, err)
			return out
		}
	}
	out = steps(running, e, c.Address, c.Steps(), r.deed)
	if lost := held.Err(); lost != nil && out.Status != Applied {
		out.Err = errors.Join(out.Err, fmt.Errorf("%s: %w", c.Address, lost))
		out.Status = Broken
	}
	return out
}

// replanned returns what is left to do after somebody else changed the record: some
// of the steps that were planned. Any other step was not what the user saw.
func (e *executor) replanned(ctx context.Context, c plan.Connection) (plan.Connection, error) {
	stale := fmt.Errorf("%s: its record in Vault was changed after it was planned; plan again", c.Address)
	if e.opts.Replan == nil {
		return c, stale
	}
	again, err := e.opts.Replan(ctx, c.Address)
	if err != nil {
		return c, fmt.Errorf("%w: %w", stale, err)
	}
	if len(again.Blocks) > 0 || !again.Within(c) {
		return c, stale
	}
	return again, nil
}

// release gives the lease back even when the run was aborted: nobody should
// have to wait for it to expire.
func (e *executor) release(ctx context.Context, address string, held lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := held.Release(ctx); err != nil {
		e.event(Event{Address: address, Kind: Warning, Text: fmt.Sprintf("the lease was not given back and ends by itself: %v", err)})
	}
}
