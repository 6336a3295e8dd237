package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

// A Deed is one step that was carried out, or failed, with what tells later
// what it was done with: never a secret.
type Deed struct {
	Address      string
	Step         plan.AnyStep
	Err          error             // nil: done
	Fingerprints map[string]string // of the record's public keys after it, by role
	Proof        string            // what a system answered, of steps that prove
}

// audited returns the error of a step that was carried out: it counts as done when
// Options.Audit has kept it, so that a trail that cannot be written stops the
// connection before its next step. Waiting for a person is no deed.
func (e *executor) audited(address string, step plan.AnyStep, deed Deed, err error) error {
	if _, waits := errors.AsType[*waitError](err); waits || e.opts.Audit == nil {
		return err
	}
	deed.Address, deed.Step, deed.Err = address, step, err
	kept := e.opts.Audit(deed)
	switch {
	case kept == nil:
		return err
	case err == nil:
		return fmt.Errorf("it was done, but not written to the audit trail: %w", kept)
	}
	return fmt.Errorf("%w (not written to the audit trail: %w)", err, kept)
}

// deed carries one step out and tells what it was done with.
func (r *runner) deed(ctx context.Context, step plan.Step) (Deed, error) {
	r.proof = ""
	err := r.do(ctx, step)
	return Deed{Fingerprints: fingerprints(r.held.Record()), Proof: r.proof}, err
}

func fingerprints(rec record.Record) map[string]string {
	out := map[string]string{}
	if c := rec.Consumer; c != nil {
		out["consumer"] = c.Fingerprint
	}
	for role, key := range map[string]*record.SSHKey{
		"ssh pending": rec.SSH.Pending, "ssh current": rec.SSH.Current, "ssh previous": rec.SSH.Previous,
	} {
		if key != nil {
			out[role] = key.Fingerprint
		}
	}
	return out
}
