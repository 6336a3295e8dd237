package bench

import (
	"context"
	"errors"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/schema"
)

// Start starts a sandbox with a fleet that is in sync, and writes the fleet's
// configuration into the folder. The caller closes the world.
func Start(ctx context.Context, folder string, opts sandbox.Options, s Shape) (*sandbox.World, *schema.Fleet, error) {
	opts.Orgs = s.Organizations
	world, err := sandbox.Start(ctx, opts)
	if err != nil {
		return nil, nil, err
	}
	fleet, err := prepare(ctx, folder, world, s)
	if err != nil {
		return nil, nil, errors.Join(err, world.Close())
	}
	return world, fleet, nil
}

func prepare(ctx context.Context, folder string, world *sandbox.World, s Shape) (*schema.Fleet, error) {
	if err := Write(folder, world.Facts, s); err != nil {
		return nil, err
	}
	fleet, _, diags := schema.Load(folder, schema.Options{})
	if diags.HasErrors() {
		return nil, diags
	}
	return fleet, Fill(ctx, world, fleet)
}
