package cli

import (
	"context"
	"fmt"

	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
)

// refuseEmpty refuses a configuration that describes no connection while the fleet
// has some: a table whose rows got lost would otherwise look like a fleet in which
// all is well. Only then are the records listed.
func (s *session) refuseEmpty(ctx context.Context) error {
	if len(s.fleet.Connections) > 0 {
		return nil
	}
	records, err := live.Records(ctx, s.sys, s.fleet.Name)
	if err != nil {
		return fmt.Errorf("the configuration describes no connection, and whether the fleet has any is not known: %w", err)
	}
	orphans := plan.Orphans(s.fleet, records)
	if len(orphans) == 0 {
		return nil
	}
	return &exitError{code: exitRefused, err: fmt.Errorf("the configuration describes no connection, and fleet %s has %d in Vault, such as %s: "+
		"check for a table or filter that became empty; if all of them are to go, bbsync plan --prune shows what that removes", s.fleet.Name, len(orphans), orphans[0].Want.Address)}
}
