package plan

import (
	"fmt"
	"time"
)

// BreakLease takes the lease of a connection from another run, which cannot write
// the record from then on, or replaces a lease that no run wrote.
type BreakLease struct {
	Holder string
	Taken  time.Time
	Why    string
}

func (BreakLease) step() {}

// Symbol implements Step.
func (BreakLease) Symbol() string { return "~" }

func (s BreakLease) String() string {
	return fmt.Sprintf("vault: break the lease of %s: %s", orNone(s.Holder), s.Why)
}

// Breaks returns the step that breaks a lease; nil for none.
func (c Connection) Breaks() *BreakLease {
	for _, change := range c.Changes {
		if s, ok := change.Step.(BreakLease); ok {
			return &s
		}
	}
	return nil
}

// leased blocks the connection while another run holds its lease. A lease that is
// broken, or that the user wants broken, is a difference.
func (d *differ) leased() bool {
	r := d.have.Record
	if r == nil || r.Lease == nil || !d.now.Before(r.Lease.Expires) {
		return false
	}
	l, until := r.Lease, r.Lease.Expires.UTC().Format(time.RFC3339)
	why := l.Break
	if l.Broken {
		why = "bbsync takes no such lease, so that it is not believed"
	}
	if l.Broken && d.have.Moved != nil {
		return false // anyone who moves the record takes it
	}
	if why != "" && d.have.Moved == nil {
		d.add(BreakLease{Holder: l.Holder, Taken: l.Taken, Why: why}, d.reason("lease in Vault", fmt.Sprintf("of %s until %s", orNone(l.Holder), until), "none", ""))
		return false
	}
	since := ""
	if l.Age > 0 {
		since = fmt.Sprintf(" (for %s)", l.Age.Round(time.Second))
	}
	d.block(Leased, d.want.Range, fmt.Sprintf("%s is applying to this connection%s; its lease ends at %s", l.Holder, since, until),
		"wait for it, or for the lease to end, and run again; if that run hangs, use --break-lease with --reason")
	return true
}
