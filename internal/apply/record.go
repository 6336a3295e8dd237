package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

// described returns the record with what it says of the connection besides
// keys: enough to find everything again when no file describes it any more. The
// service user stays the one that the SSH keys are on, until they are on another.
func described(rec record.Record, fleet string, t plan.Target) record.Record {
	rec.Fleet, rec.Address = fleet, t.Address
	rec.Terraform, rec.Organization = t.TerraformURL, t.Organization
	rec.Bitbucket, rec.Protected = t.BitbucketURL, t.Protect
	if rec.SSH.Current == nil || rec.ServiceUser == "" {
		rec.ServiceUser = t.ServiceUser
	}
	rec.Tombstone = nil
	return rec
}

// describe brings that up to date. It writes only what differs.
func (r *runner) describe(ctx context.Context) error {
	have := r.held.Record()
	want := described(have, r.fleet, r.Target)
	if have.Tombstone == nil && have.Fleet == want.Fleet && record.Facts(have, 0).About == record.Facts(want, 0).About && have.Address == want.Address {
		return nil
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		*rec = described(*rec, r.fleet, r.Target)
		return nil
	})
}

// noteConnection brings it up to date, and notes that the SSH keys are on the
// service user.
func (r *runner) noteConnection(ctx context.Context, s plan.NoteConnection) error {
	return r.held.Update(ctx, func(rec *record.Record) error {
		*rec = described(*rec, r.fleet, r.Target)
		rec.ServiceUser = cmp.Or(s.ServiceUser, rec.ServiceUser)
		if s.MovedFrom != "" && rec.MovedFrom == s.MovedFrom {
			rec.MovedFrom = ""
		}
		return nil
	})
}

// moveRecord takes over what the connection's record held under another path,
// then empties that. Both are held meanwhile. That the keys are at both is noted
// in the same write that brings them: a run that is cut off is taken up again.
func (r *runner) moveRecord(ctx context.Context, s plan.MoveRecord) error {
	old, err := r.acquire(ctx, r.Address, s.From, record.Record{Fleet: r.fleet}, nil)
	if err != nil {
		return fmt.Errorf("taking the lease of %s: %w", s.From, err)
	}
	defer r.release(ctx, r.Address, old)
	if ended := old.Record().Tombstone; ended == nil || ended.How != record.TombstoneMoved || ended.To != r.Record { // else by a run whose answer was lost
		if err := r.takeAndEmpty(ctx, s, old); err != nil {
			return err
		}
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		rec.MovedFrom = ""
		return nil
	})
}

func (r *runner) takeAndEmpty(ctx context.Context, s plan.MoveRecord, old lease) error {
	if err := r.unchanged(s.From, old.Record(), s.Basis); err != nil {
		return err
	}
	if r.held.Record().MovedFrom != s.From {
		if err := r.emptyBefore(ctx, s); err != nil {
			return err
		}
		if err := r.takeRecord(ctx, s.From, old.Record()); err != nil {
			return err
		}
	}
	return r.end(ctx, old, s.From, record.Tombstone{How: record.TombstoneMoved, To: r.Record})
}

// unchanged returns an error unless the record is this fleet's and says what it
// said when the move was planned: only then is it the one that was approved.
func (r *runner) unchanged(path string, have record.Record, basis string) error {
	switch {
	case have.Fleet != r.fleet:
		return fmt.Errorf("the record at %s is of fleet %q, not of %s: it is left as it is", path, have.Fleet, r.fleet)
	case record.Facts(have, 0).Basis() != basis:
		return fmt.Errorf("the record at %s was changed after this was planned; plan again", path)
	}
	return nil
}

// emptyBefore ends a move to From that was cut off: when From is emptied, nothing
// says any more where the keys were before.
func (r *runner) emptyBefore(ctx context.Context, s plan.MoveRecord) error {
	if s.Before == "" {
		return nil
	}
	before, err := r.acquire(ctx, r.Address, s.Before, record.Record{Fleet: r.fleet}, nil)
	if err != nil {
		return fmt.Errorf("taking the lease of %s: %w", s.Before, err)
	}
	defer r.release(ctx, r.Address, before)
	if err := r.unchanged(s.Before, before.Record(), s.BeforeBasis); err != nil {
		return err
	}
	return r.end(ctx, before, s.Before, record.Tombstone{How: record.TombstoneMoved, To: s.From})
}

// takeRecord copies a record into the connection's own.
func (r *runner) takeRecord(ctx context.Context, path string, from record.Record) error {
	return r.held.Update(ctx, func(rec *record.Record) error {
		moved := from
		moved.Generation, moved.Lease = rec.Generation, rec.Lease
		*rec = described(moved, r.fleet, r.Target)
		rec.MovedFrom = path
		return nil
	})
}

func (r *runner) retireRecord(ctx context.Context) error {
	if err := r.dropOrphan(ctx); err != nil {
		return err
	}
	return r.end(ctx, r.held, r.Record, record.Tombstone{How: record.TombstoneRetired})
}

// dropOrphan deletes the record's consumer from Bitbucket where it belongs to no link:
// somebody gave the link another one, and after this nothing knows its key. What a real
// server answers there was not seen, so that an answer which makes no sense does not keep
// the keys in Vault.
func (r *runner) dropOrphan(ctx context.Context) error {
	consumer := r.held.Record().Consumer
	if consumer == nil {
		return nil
	}
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	err = client.DeleteOrphanedConsumer(ctx, consumer.Key)
	if errors.Is(err, bitbucket.ErrBadAnswer) || errors.Is(err, bitbucket.ErrForbidden) || errors.Is(err, bitbucket.ErrServer) {
		r.warn(plan.RetireRecord{}, "whether Bitbucket keeps consumer %s without a link is not known: %v", consumer.Key, err)
		return nil
	}
	return err
}

// end empties a record, destroys the versions that held its keys, and notes last
// that this is done: a run that is cut off is taken up again.
func (r *runner) end(ctx context.Context, held lease, path string, how record.Tombstone) error {
	err := held.Update(ctx, func(rec *record.Record) error {
		*rec = rec.WithoutKeys()
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.sys.DestroyOlder(ctx, path, held.Version()); err != nil {
		return err
	}
	how.At = r.now()
	return held.Update(ctx, func(rec *record.Record) error {
		rec.Tombstone = &how
		return nil
	})
}

func (r *runner) forgetRecord(ctx context.Context) error {
	return r.held.Update(ctx, func(rec *record.Record) error {
		rec.Tombstone = &record.Tombstone{How: record.TombstoneForgotten, At: r.now()}
		return nil
	})
}
