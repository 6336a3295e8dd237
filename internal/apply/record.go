package apply

import (
	"context"
	"fmt"

	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/vault"
)

// described returns the record with what it says of the connection besides
// keys: enough to find everything again when no file describes it any more. The
// service user stays the one that the SSH keys are on, until they are on another.
func described(record vault.Record, fleet string, t plan.Target) vault.Record {
	record.Fleet, record.Address = fleet, t.Address
	record.Terraform, record.Organization = t.TerraformURL, t.Organization
	record.Bitbucket, record.Protected = t.BitbucketURL, t.Protect
	if record.SSH.Current == nil || record.ServiceUser == "" {
		record.ServiceUser = t.ServiceUser
	}
	record.Ended = nil
	return record
}

// describe brings that up to date. It writes only what differs.
func (r *runner) describe(ctx context.Context) error {
	have := r.held.Record()
	want := described(have, r.fleet, r.Target)
	if have.Ended == nil && have.Fleet == want.Fleet && live.RecordFacts(have, 0).About == live.RecordFacts(want, 0).About && have.Address == want.Address {
		return nil
	}
	return r.held.Update(ctx, func(record *vault.Record) error {
		*record = described(*record, r.fleet, r.Target)
		return nil
	})
}

// noteConnection brings it up to date, and notes that the SSH keys are on the
// service user.
func (r *runner) noteConnection(ctx context.Context, s plan.NoteConnection) error {
	return r.held.Update(ctx, func(record *vault.Record) error {
		*record = described(*record, r.fleet, r.Target)
		record.ServiceUser = r.ServiceUser
		if s.MovedFrom != "" && record.MovedFrom == s.MovedFrom {
			record.MovedFrom = ""
		}
		return nil
	})
}

// moveRecord takes over what the connection's record held under another path,
// then empties that. Both are held meanwhile. That the keys are at both is noted
// in the same write that brings them: a run that is cut off is taken up again.
func (r *runner) moveRecord(ctx context.Context, s plan.MoveRecord) error {
	old, err := r.acquire(ctx, r.Address, s.From, vault.Record{Fleet: r.fleet}, nil)
	if err != nil {
		return fmt.Errorf("taking the lease of %s: %w", s.From, err)
	}
	defer r.release(ctx, r.Address, old)
	if ended := old.Record().Ended; ended == nil || ended.How != vault.EndMoved || ended.To != r.Record { // else by a run whose answer was lost
		if err := r.takeAndEmpty(ctx, s, old); err != nil {
			return err
		}
	}
	return r.held.Update(ctx, func(record *vault.Record) error {
		record.MovedFrom = ""
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
	return r.end(ctx, old, s.From, vault.Ended{How: vault.EndMoved, To: r.Record})
}

// unchanged returns an error unless the record is this fleet's and says what it
// said when the move was planned: only then is it the one that was approved.
func (r *runner) unchanged(path string, have vault.Record, basis string) error {
	switch {
	case have.Fleet != r.fleet:
		return fmt.Errorf("the record at %s is of fleet %q, not of %s: it is left as it is", path, have.Fleet, r.fleet)
	case live.RecordFacts(have, 0).Basis() != basis:
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
	before, err := r.acquire(ctx, r.Address, s.Before, vault.Record{Fleet: r.fleet}, nil)
	if err != nil {
		return fmt.Errorf("taking the lease of %s: %w", s.Before, err)
	}
	defer r.release(ctx, r.Address, before)
	if err := r.unchanged(s.Before, before.Record(), s.BeforeBasis); err != nil {
		return err
	}
	return r.end(ctx, before, s.Before, vault.Ended{How: vault.EndMoved, To: s.From})
}

// takeRecord copies a record into the connection's own.
func (r *runner) takeRecord(ctx context.Context, path string, from vault.Record) error {
	return r.held.Update(ctx, func(record *vault.Record) error {
		moved := from
		moved.Generation, moved.Lease = record.Generation, record.Lease
		*record = described(moved, r.fleet, r.Target)
		record.MovedFrom = path
		return nil
	})
}

func (r *runner) retireRecord(ctx context.Context) error {
	return r.end(ctx, r.held, r.Record, vault.Ended{How: vault.EndRetired})
}

// end empties a record, destroys the versions that held its keys, and notes last
// that this is done: a run that is cut off is taken up again.
func (r *runner) end(ctx context.Context, held lease, path string, how vault.Ended) error {
	err := held.Update(ctx, func(record *vault.Record) error {
		*record = record.WithoutKeys()
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.sys.DestroyOlder(ctx, path, held.Version()); err != nil {
		return err
	}
	how.At = r.now()
	return held.Update(ctx, func(record *vault.Record) error {
		record.Ended = &how
		return nil
	})
}

func (r *runner) forgetRecord(ctx context.Context) error {
	return r.held.Update(ctx, func(record *vault.Record) error {
		record.Ended = &vault.Ended{How: vault.EndForgotten, At: r.now()}
		return nil
	})
}
