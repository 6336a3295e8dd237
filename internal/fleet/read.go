package fleet

import (
	"context"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// A Reading is what was read of a fleet and the plan made of it.
type Reading struct {
	World live.World // the connections that were planned first, then those to remove
	Plan  plan.Plan
}

// Read reads the run's connections that keep accepts (nil: all) and plans them.
func (r *Run) Read(ctx context.Context, keep func(address string) bool) (Reading, error) {
	connections := r.only(keep)
	leaving, err := r.leaving(ctx)
	if err != nil {
		return Reading{}, err
	}
	world, err := r.readAll(ctx, slices.Concat(connections, leaving.read))
	if err != nil {
		return Reading{}, err
	}
	p, err := r.plan(ctx, connections, world)
	if err != nil {
		return Reading{}, err
	}
	if r.Scope.Removal.active() {
		removed, err := r.removals(ctx, p, leaving, connections, world)
		if err != nil {
			return Reading{}, err
		}
		p.Connections = append(p.Connections, removed...)
	}
	return Reading{World: world, Plan: r.withEnds(p, connections, world)}, nil
}

func (r *Run) only(keep func(address string) bool) []*schema.Connection {
	if keep == nil {
		return r.Connections
	}
	return slices.DeleteFunc(slices.Clone(r.Connections), func(c *schema.Connection) bool { return !keep(c.Address) })
}

// readAll reads the systems. SSH keys that no record knows are looked for where the
// run answers for the fleet, and in an emergency.
func (r *Run) readAll(ctx context.Context, connections []*schema.Connection) (live.World, error) {
	opts := live.Options{Quick: r.Scope.Quick, Unknown: r.Whole() || r.Scope.Rotate.Emergency != "", Ends: r.endsOptions()}
	if r.env.Observer != nil {
		progress := r.env.Observer.Reading(len(connections), r.Systems.Figures)
		defer progress.Close()
		opts.Done = func(string) { progress.Done(1) }
	}
	world, err := live.Read(ctx, r.Systems, connections, opts)
	if err != nil {
		return live.World{}, fmt.Errorf("reading the systems: %w", err)
	}
	for _, have := range world.Have {
		r.breakLease(have.Record)
	}
	return world, nil
}

// plan plans what was read. A plan that deletes what other connections may use is
// made again with all records of the fleet, whatever the run is narrowed to: a key
// is in use wherever it is in use. The requests for them are made only then.
func (r *Run) plan(ctx context.Context, connections []*schema.Connection, world live.World) (plan.Plan, error) {
	have := world.Have[:len(connections)]
	opts := plan.Options{Adopt: r.adopts, Now: r.env.Now(), Rotate: r.Scope.Rotate, Asked: r.asked, Run: r.Connections, MaxRemovals: r.Scope.Removal.Max}
	p := plan.Make(r.Configuration, connections, have, world.Bitbuckets, opts)
	if !p.Deletes() {
		return p, nil
	}
	var err error
	if opts.Records, err = live.FleetRecords(ctx, r.Systems); err != nil {
		return plan.Plan{}, err
	}
	return plan.Make(r.Configuration, connections, have, world.Bitbuckets, opts), nil
}

// replan plans one connection again, and ignores its lease: the holder asks.
func (r *Run) replan(ctx context.Context, address string) (plan.Connection, error) {
	one := r.only(func(a string) bool { return a == address })
	if len(one) == 0 {
		return plan.Connection{}, fmt.Errorf("%s is not in the configuration: what was shown is what is removed, or nothing", address)
	}
	world, err := live.Read(ctx, r.Systems, one, live.Options{})
	if err != nil {
		return plan.Connection{}, err
	}
	if record := world.Have[0].Record; record != nil {
		record.Lease = nil
	}
	p, err := r.plan(ctx, one, world)
	if err != nil {
		return plan.Connection{}, err
	}
	return p.Connections[0], nil
}
