package live

import (
	"context"
	"errors"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
)

// readRecord returns what the planner may know of the record at a path, nil when
// Vault has none. A record whose newest version was deleted is none either, but its
// version counts on.
func (r *reader) readRecord(ctx context.Context, path string) (*plan.Record, error) {
	rec, version, err := r.sys.Vault().Read(ctx, path)
	var deleted *vault.DeletedError
	switch {
	case errors.Is(err, record.ErrContradiction):
		return facts(r.sys.Vault(), rec, version, err), nil
	case errors.As(err, &deleted):
		return &plan.Record{Version: int(deleted.Version), Deleted: deleted.Error()}, nil
	case errors.Is(err, vault.ErrNotFound):
		return nil, nil //nolint:nilnil // no record is an answer
	case err != nil:
		return nil, err
	}
	return facts(r.sys.Vault(), rec, version, nil), nil
}

// facts returns what the planner may know of a record, with the lease judged by
// Vault's clock. err may be the record's contradiction.
func facts(client *vault.Client, rec record.Record, version vault.Version, err error) *plan.Record {
	out, l := record.Facts(rec, int(version)), rec.Lease
	if state := client.LeaseState(l); state != record.LeaseFree {
		out.Lease = &plan.Lease{
			Holder: l.Holder, Taken: l.Taken, Age: client.LeaseAge(l), Expires: client.Local(l.Expires), Broken: state == record.LeaseBroken,
		}
	}
	if differs, ok := errors.AsType[*record.ContradictionError](err); ok {
		text, remedy := differs.Explain()
		out.Contradiction = &plan.Contradiction{Text: text, Remedy: remedy}
	}
	return out
}
