package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
)

// TestExplain takes errors of all systems apart: what happened, what to do, and of
// what kind they are, however often they are wrapped.
func TestExplain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err        error
		kind       fault.Kind
		cause, fix string
	}{
		"none":     {nil, fault.Other, "", ""},
		"no fault": {errors.New("odd"), fault.Other, "odd", ""},
		"a kind alone": {
			fmt.Errorf("reading: %w", tfe.ErrTokenRefused), fault.CredentialRefused,
			"reading: the OAuth token does not work", fault.Fix(tfe.ErrTokenRefused),
		},
		"Terraform's own advice": {
			&tfe.Error{Op: "reading", Object: "acme", Status: 404, Kind: tfe.ErrNotFound, Hint: "it answers, but not as Terraform does"}, fault.Missing,
			"terraform: reading acme: not found, or not allowed: status 404", "it answers, but not as Terraform does",
		},
		"Terraform, by kind": {
			fmt.Errorf("acme-01: %w", &tfe.Error{Op: "reading", Object: "acme", Status: 401, Kind: tfe.ErrUnauthorized}), fault.CredentialRefused,
			"acme-01: terraform: reading acme: token refused: status 401", fault.Fix(tfe.ErrUnauthorized),
		},
		"Bitbucket's own advice": {
			&bitbucket.Error{Op: "reading", Object: `user "a"`, Status: 500, Advice: "ask its administrator"}, fault.Other,
			`reading user "a": 500 Internal Server Error`, "ask its administrator",
		},
		"a broken answer is an answer that cannot be used": {
			vault.ErrBrokenAnswer, fault.BrokenAnswer, "no usable answer from Vault", fault.Fix(vault.ErrBrokenAnswer),
		},
		"a deleted record": {
			fmt.Errorf("acme-01: %w", &vault.DeletedError{Path: "kv/bbsync/a", Version: 3}), fault.Deleted,
			"acme-01: vault: kv/bbsync/a: version 3 was deleted", "vault kv undelete -versions=3 kv/bbsync/a brings it back",
		},
		"another run": {
			&vault.LeasedError{Path: "kv/bbsync/a", Holder: "ann"}, fault.Leased,
			"kv/bbsync/a is leased by ann until 0001-01-01T00:00:00Z", fault.Fix(vault.ErrLeased),
		},
		"another secret": {
			&vault.Error{Op: "reading", Path: "kv/a", Kind: fmt.Errorf("%w: it has no format number", record.ErrNotRecord)}, fault.BrokenAnswer,
			"vault: reading kv/a: not a record of bbsync: it has no format number", fault.Fix(record.ErrNotRecord),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cause, fix := fault.Explain(tc.err)
			if kind := fault.KindOf(tc.err); kind != tc.kind || cause != tc.cause || fix != tc.fix {
				t.Errorf("have %q, %q, %q\nwant %q, %q, %q", kind, cause, fix, tc.kind, tc.cause, tc.fix)
			}
		})
	}
	if !errors.Is(vault.ErrBrokenAnswer, vault.ErrUnavailable) || errors.Is(vault.ErrUnavailable, vault.ErrBrokenAnswer) {
		t.Error("a broken answer is a case of an unusable one, and not the reverse")
	}
}
