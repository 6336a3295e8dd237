package fleet

import (
	"context"
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// leaving are the connections to remove.
type leaving struct {
	all     []plan.Leaving
	read    []*schema.Connection    // those that have to be read
	place   []int                   // of each of these, in all
	records map[string]*plan.Record // of the fleet, by path
}

// leaving finds the connections to remove. Only then are the records listed, which
// takes a request for each folder of them: more than a plan may cost.
func (r *Run) leaving(ctx context.Context) (leaving, error) {
	if !r.Scope.Removal.active() {
		return leaving{}, r.refuseEmpty(ctx)
	}
	records, err := live.Records(ctx, r.Systems, r.Configuration.Name)
	if err != nil {
		return leaving{}, err
	}
	l := leaving{records: records}
	if r.Scope.Removal.Destroy {
		for _, c := range r.Configuration.Connections {
			l.all = append(l.all, plan.Leaving{Want: c, Record: records[c.Record]})
		}
	}
	l.all = append(l.all, plan.Orphans(r.Configuration, records)...)
	if err := r.narrow(&l); err != nil {
		return leaving{}, err
	}
	for i, one := range l.all {
		r.breakLease(one.Record)
		if !one.Forget && one.Kept == "" {
			l.read, l.place = append(l.read, one.Want), append(l.place, i)
		}
	}
	return l, nil
}

// narrow leaves the connections that the removal names. A name that named something
// once may name nothing later: what it named was removed.
func (r *Run) narrow(l *leaving) error {
	selected := r.Scope.Removal.Names
	if len(selected) == 0 {
		return nil
	}
	found := map[string]bool{}
	l.all = slices.DeleteFunc(l.all, func(one plan.Leaving) bool { return !named(one.Want, selected, found) })
	for _, name := range selected {
		if !found[name] && !r.planned {
			return usage("neither the configuration nor the fleet's records in Vault have a connection with the address %s", name)
		}
	}
	return nil
}

// removals plans the connections to remove. Nothing is removed that a connection
// uses which the configuration has and which stays.
func (r *Run) removals(ctx context.Context, p plan.Plan, l leaving, connections []*schema.Connection, world live.World) ([]plan.Connection, error) {
	stay, read := world.Have[:len(connections)], world.Have[len(connections):]
	affected, err := live.Affected(ctx, r.Systems, l.read, read)
	if err != nil {
		return nil, err
	}
	have := make([]plan.Have, len(l.all))
	for i, place := range l.place {
		have[place] = read[i]
	}
	removal := r.Scope.Removal
	out := plan.Removals{
		Fleet: r.Configuration.Name, Why: "no file describes it", Max: r.Configuration.MaxRemovals, MaxAt: r.Configuration.MaxRemovalsRange,
		AllowUnlink: removal.AllowUnlink, Affected: affected, Records: l.records, Emptied: p.Emptied(), Moves: p.Moves(), Now: r.env.Now(),
		Stay: connections, StayHave: stay,
	}
	if removal.Max != nil {
		out.Max = *removal.Max
	}
	if removal.Destroy {
		out.Why, out.Asked = "asked for", true
	}
	if len(connections) < len(r.Configuration.Connections) && len(l.all) > 0 { // all that the configuration has stays, however little of it is planned
		if out.Stay, out.StayHave, err = r.staying(ctx, l); err != nil {
			return nil, err
		}
	}
	return out.Plan(l.all, have), nil
}

// staying reads the connections that the configuration has and that stay.
func (r *Run) staying(ctx context.Context, l leaving) ([]*schema.Connection, []plan.Have, error) {
	goes := map[string]bool{}
	for _, one := range l.all {
		goes[one.Want.Record] = true
	}
	var stay []*schema.Connection
	for _, c := range r.Configuration.Connections {
		if !goes[c.Record] {
			stay = append(stay, c)
		}
	}
	if len(stay) == 0 {
		return nil, nil, nil
	}
	world, err := live.Read(ctx, r.Systems, stay, live.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("reading what stays: %w", err)
	}
	return stay, world.Have, nil
}

// refuseEmpty refuses a configuration without connections while the fleet has some:
// a table that lost its rows would otherwise look like a fleet in sync. Only then
// are the records listed.
func (r *Run) refuseEmpty(ctx context.Context) error {
	if len(r.Configuration.Connections) > 0 {
		return nil
	}
	records, err := live.Records(ctx, r.Systems, r.Configuration.Name)
	if err != nil {
		return fmt.Errorf("the configuration describes no connection, and whether the fleet has any is not known: %w", err)
	}
	orphans := plan.Orphans(r.Configuration, records)
	if len(orphans) == 0 {
		return nil
	}
	return refused("the configuration describes no connection, and fleet %s has %d in Vault, such as %s: "+
		"check for a table or filter that became empty; if all of them are to go, bbsync plan --prune shows what that removes",
		r.Configuration.Name, len(orphans), orphans[0].Want.Address)
}
