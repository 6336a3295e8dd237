package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// readers is how many records, or uses of OAuth clients, are read at once.
const readers = 16

// Records reads all records below the fleet's name, by path: a request for each
// folder and each record. Deleted ones say nothing and are left out, as are
// secrets that are no records.
func Records(ctx context.Context, sys *systems.Systems, fleet string) (map[string]*plan.Record, error) {
	paths, err := sys.Vault().List(ctx, fleet)
	if err != nil {
		return nil, fmt.Errorf("listing the records of fleet %s: %w", fleet, err)
	}
	var mu sync.Mutex
	out := make(map[string]*plan.Record, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, path := range paths {
		group.Go(func() error {
			rec, version, err := sys.Vault().Read(ctx, path)
			switch {
			case errors.Is(err, record.ErrContradiction):
			case errors.Is(err, vault.ErrDeleted), errors.Is(err, vault.ErrNotFound), errors.Is(err, record.ErrNotRecord):
				return nil
			case err != nil:
				return fmt.Errorf("reading the records of fleet %s: %w", fleet, err)
			}
			mu.Lock()
			defer mu.Unlock()
			out[path] = facts(sys.Vault(), rec, version, err)
			return nil
		})
	}
	return out, group.Wait()
}

// readMoved finds the record that a connection had under the address that a moved
// block names, when it has none with keys at its place. One that is there without
// keys is what a move leaves that was cut off before it had taken them over. Without
// a moved block nothing is taken; where a link is there, somebody made it, perhaps
// we when the record had another path: then a record of this very connection is
// looked for, to be reported.
func (r *reader) readMoved(ctx context.Context, c *schema.Connection, have *plan.Have) error {
	if h := have.Record; h != nil && (h.Deleted != "" || h.Consumer != nil || h.Current != nil) {
		return nil
	}
	from := plan.MovedFrom(r.sys.Fleet().Moved, c.Address)
	if len(from) == 0 && (have.Link == nil || c.Relocate != nil) {
		return nil
	}
	records, err := r.records.get(func() (recordIndex, error) {
		records, err := Records(ctx, r.sys, r.sys.Fleet().Name)
		return indexRecords(records, r.sys.Fleet().Name), err
	})
	if err != nil {
		return err
	}
	if len(from) == 0 {
		for _, m := range records[c.Address] {
			if m.Path != c.Record && plan.Describes(m.Record, c) {
				have.Elsewhere = m.Path
			}
		}
		return nil
	}
	have.Moved, have.Claims = plan.ChooseMoved(records.under(from, c.Record))
	return nil
}

// readTakenOver reads the record that this one, or the moved one, says it took over.
func (r *reader) readTakenOver(ctx context.Context, have *plan.Have) error {
	rec := have.Record
	if have.Moved != nil {
		rec = have.Moved.Record
	}
	if rec == nil || rec.MovedFrom == "" {
		return nil
	}
	before, err := r.readRecord(ctx, rec.MovedFrom)
	if err != nil || before == nil {
		return err
	}
	have.Before = &plan.MovedRecord{Path: rec.MovedFrom, Record: before}
	return nil
}

// A recordIndex is a fleet's records that have keys and whose connections are
// kept: by address, in order of their paths.
type recordIndex map[string][]plan.MovedRecord

func indexRecords(records map[string]*plan.Record, fleet string) recordIndex {
	out := recordIndex{}
	for _, path := range slices.Sorted(maps.Keys(records)) {
		if r := records[path]; r.Fleet == fleet && r.Ended == "" && r.Consumer != nil {
			out[r.Address] = append(out[r.Address], plan.MovedRecord{Path: path, Record: r})
		}
	}
	return out
}

// under returns the records under these addresses, but for the one at a path.
func (x recordIndex) under(addresses []string, but string) []plan.MovedRecord {
	var out []plan.MovedRecord
	for _, address := range addresses {
		out = append(out, x[address]...)
	}
	return slices.DeleteFunc(out, func(m plan.MovedRecord) bool { return m.Path == but })
}

// Affected asks what uses the OAuth clients of these connections, which are to
// go, by client's id.
func Affected(ctx context.Context, sys *systems.Systems, connections []*schema.Connection, have []plan.Have) (map[string]plan.Affected, error) {
	var mu sync.Mutex
	out := map[string]plan.Affected{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, c := range connections {
		for _, client := range plan.OwnClients(have[i]) {
			group.Go(func() error {
				hit, err := affected(ctx, sys, c, client.ID)
				if err != nil {
					return fmt.Errorf("%s: counting what its removal would unlink: %w", c.Address, err)
				}
				mu.Lock()
				defer mu.Unlock()
				out[client.ID] = hit
				return nil
			})
		}
	}
	return out, group.Wait()
}

func affected(ctx context.Context, sys *systems.Systems, c *schema.Connection, client string) (plan.Affected, error) {
	terraform, err := sys.Terraform(ctx, c.Terraform.Label, c.Organization)
	if err != nil {
		return plan.Affected{}, err
	}
	hit, err := terraform.Affected(ctx, c.Organization, client)
	return plan.Affected{Count: hit.Workspaces, Names: hit.Names, Others: hit.Others, Untold: hit.Untold}, err
}
