package live

import (
	"context"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// Plan plans what was read. Where that deletes what other connections may use, it is
// planned again with all records of the fleet, whatever the connections are narrowed
// to: a key is in use wherever it is in use. The requests for them are made only then.
func Plan(ctx context.Context, sys *systems.Systems, connections []*schema.Connection, world World, opts plan.Options) (plan.Plan, error) {
	have := world.Have[:len(connections)]
	p := plan.Make(sys.Fleet(), connections, have, world.Bitbuckets, opts)
	if !p.Deletes() {
		return p, nil
	}
	records, err := FleetRecords(ctx, sys)
	if err != nil {
		return plan.Plan{}, err
	}
	opts.Records = records
	return plan.Make(sys.Fleet(), connections, have, world.Bitbuckets, opts), nil
}
