package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
)

// leaseFlags say what to do about the leases of other runs.
type leaseFlags struct {
	broken bool   // break them
	reason string // why; rotate --emergency uses it, too
}

func (f *leaseFlags) add(c *cobra.Command, scope *scopeFlags) {
	c.Flags().DurationVar(&scope.WaitLease, "wait-lease", apply.DefaultPatience, "wait up to this long for connections that another run is working on, then exit with 7; 0: do not wait")
	c.Flags().BoolVar(&f.broken, "break-lease", false, "take connections from another run that hangs and stop it from changing them; needs --reason")
	if c.Flags().Lookup("reason") == nil {
		c.Flags().StringVar(&f.reason, "reason", "", "reason for --break-lease, kept in the audit trail")
	}
}

// check notes in the scope which leases to break, or returns an error when flags
// contradict each other. needed is whether something else asks for a reason.
func (f *leaseFlags) check(scope *scopeFlags, needed bool) error {
	switch {
	case scope.WaitLease < 0:
		return errors.New("--wait-lease must be at least 0; 0 does not wait")
	case f.broken && f.reason == "":
		return errors.New("--break-lease needs --reason, which the audit trail keeps")
	case f.reason != "" && !f.broken && !needed:
		return errors.New("--reason needs --break-lease")
	case f.broken:
		scope.BreakLeases = f.reason
	}
	return nil
}
