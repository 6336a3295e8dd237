package fleet

import (
	"context"

	"github.com/bbsync/bbsync/internal/plan"
)

// PlanUnleased plans. While other runs hold leases of these connections it waits,
// up to the scope's WaitLease, and plans again.
func (r *Run) PlanUnleased(ctx context.Context) (plan.Plan, error) {
	p, err := r.Plan(ctx)
	var leased []plan.Connection
	for _, c := range p.Connections {
		if c.State() == plan.StateLeased {
			leased = append(leased, c)
		}
	}
	if err != nil || len(leased) == 0 || r.Scope.WaitLease == 0 {
		return p, err
	}
	if err := r.awaitLeases(ctx, leased); err != nil {
		return plan.Plan{}, err
	}
	return r.after(p).Plan(ctx)
}

func (r *Run) awaitLeases(ctx context.Context, leased []plan.Connection) error {
	done := func() {}
	if r.env.Observer != nil {
		progress := r.env.Observer.AwaitingLeases(leased, r.Scope.WaitLease)
		defer progress.Close()
		done = func() { progress.Done(1) }
	}
	for _, c := range leased {
		r.patience.Await(ctx, r.Systems.Vault(), c.Record)
		done()
	}
	return ctx.Err()
}

// breakLease marks the lease of a record as to be broken, if the scope says so.
func (r *Run) breakLease(record *plan.Record) {
	if record != nil && record.Lease != nil {
		record.Lease.Break = r.Scope.BreakLeases
	}
}
