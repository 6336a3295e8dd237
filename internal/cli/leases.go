package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
)

// leaseFlags say what to do about the leases of other runs.
type leaseFlags struct {
	wait   time.Duration
	broken bool   // break them
	reason string // why; rotate --emergency uses it, too
}

func (f *leaseFlags) add(c *cobra.Command) {
	c.Flags().DurationVar(&f.wait, "wait-lease", apply.DefaultPatience, "wait up to this long for connections that another run works on, then exit with 7; 0: do not wait")
	c.Flags().BoolVar(&f.broken, "break-lease", false, "take connections from another run that hangs: it cannot go on with them; needs --reason")
	if c.Flags().Lookup("reason") == nil {
		c.Flags().StringVar(&f.reason, "reason", "", "why, with --break-lease; the audit trail keeps it")
	}
}

// check returns an error when flags contradict each other. needed is whether
// something else asks for a reason.
func (f *leaseFlags) check(needed bool) error {
	switch {
	case f.wait < 0:
		return errors.New("--wait-lease must be at least 0, which does not wait")
	case f.broken && f.reason == "":
		return errors.New("--break-lease needs --reason, which the audit trail keeps")
	case f.reason != "" && !f.broken && !needed:
		return errors.New("--reason goes with --break-lease")
	}
	return nil
}

// planUnleased plans. While other runs hold leases of these connections it waits,
// as long as the patience lasts, and plans again.
func (s *session) planUnleased(ctx context.Context, f *applyFlags) (plan.Plan, error) {
	if f.broken {
		s.breaks = f.reason
	}
	f.patience = apply.NewPatience(f.wait)
	p, err := s.plan(ctx, s.connections)
	var leased []plan.Connection
	for _, c := range p.Connections {
		if c.State() == plan.StateLeased {
			leased = append(leased, c)
		}
	}
	if err != nil || len(leased) == 0 || f.wait == 0 {
		return p, err
	}
	s.app.tellf("%s: %s\n", leased[0].Address, leased[0].Blocks[0].Text)
	s.app.tellf("Waiting up to %s for connections that another run works on: %d; --wait-lease 0 does not wait.\n", f.wait, len(leased))
	progress := s.app.progress("Waiting for", len(leased), "leases", nil)
	for _, c := range leased {
		f.patience.Await(ctx, s.sys.Vault(), c.Record)
		progress.done(1)
	}
	progress.close()
	if err := ctx.Err(); err != nil {
		return plan.Plan{}, err
	}
	return s.plan(ctx, s.connections)
}

// breakLeases marks the leases of these records as to be broken, if that was asked
// for.
func (s *session) breakLeases(records ...*plan.Record) {
	for _, r := range records {
		if r != nil && r.Lease != nil {
			r.Lease.Break = s.breaks
		}
	}
}
