package live

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
)

// FleetRecords reads every record of the fleet, by path: those below its name, and
// those that its files keep elsewhere. It is what a question is asked of that the
// connections of a run alone cannot answer.
func FleetRecords(ctx context.Context, sys *systems.Systems) (map[string]*plan.Record, error) {
	fleet := sys.Fleet()
	out, err := Records(ctx, sys, fleet.Name)
	if err != nil {
		return nil, err
	}
	r := &reader{sys: sys}
	elsewhere := make([]*plan.Record, len(fleet.Connections))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, c := range fleet.Connections {
		if out[c.Record] == nil {
			group.Go(func() (err error) {
				elsewhere[i], err = r.readRecord(ctx, c.Record)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, c := range fleet.Connections {
		if elsewhere[i] != nil {
			out[c.Record] = elsewhere[i]
		}
	}
	return out, nil
}
