package exitcode_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bbsync/bbsync/internal/exitcode"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/vault"
)

// TestOf: the code of an error follows from its type, however it is wrapped and
// whatever it says.
func TestOf(t *testing.T) {
	refused := func(kind fleet.Kind) error {
		return fmt.Errorf("--adopt: %w", &fleet.Error{Kind: kind, Err: errors.New("stale usage refused")})
	}
	for err, want := range map[error]exitcode.Code{
		nil:                                    exitcode.Done,
		errors.New("stale, refused and usage"): exitcode.Failure,
		refused(fleet.Usage):                   exitcode.Usage,
		refused(fleet.Refused):                 exitcode.Refused,
		refused(fleet.Stale):                   exitcode.Stale,
		refused(0):                             exitcode.Failure,
		fmt.Errorf("acme-01: %w", &vault.LeasedError{Path: "kv/a"}): exitcode.Leased,
		&vault.Error{Op: "leased", Kind: vault.ErrUnavailable}:      exitcode.Failure,
	} {
		if have := exitcode.Of(err); have != want {
			t.Errorf("%v: code %d, want %d", err, have, want)
		}
	}
}
