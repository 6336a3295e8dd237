package plan

import (
	"fmt"
	"time"
)

// Breaks returns the step that breaks a lease; nil for none.
func (c Connection) Breaks() *BreakLease {
	for _, change := range c.Changes {
		if s, ok := change.Step.(BreakLease); ok {
			return &s
		}
	}
	return nil
}

// until shows when the lease ends.
func (l *Lease) until() string { return l.Expires.UTC().Format(time.RFC3339) }

// breaks returns why the lease of another run is to be taken, "" for a lease that is
// respected, or none.
func (w *World) breaks() string {
	if !w.leased() {
		return ""
	}
	if w.Record.Lease.Broken {
		return "bbsync takes no such lease, so that it is not believed"
	}
	return w.Record.Lease.Break
}

// leased reports whether the record has a lease that has not ended.
func (w *World) leased() bool {
	return w.Record != nil && w.Record.Lease != nil && w.Now.Before(w.Record.Lease.Expires)
}

// leased blocks the connection while another run holds its lease. One that no run
// wrote does not count where the record moves, as the move takes it.
func (g *guard) leased() bool {
	if !g.World.leased() || g.breaks() != "" && (g.Moved == nil || g.Record.Lease.Broken) {
		return false
	}
	l, since := g.Record.Lease, ""
	if l.Age > 0 {
		since = fmt.Sprintf(" (for %s)", l.Age.Round(time.Second))
	}
	g.block(Leased, g.want.Range, fmt.Sprintf("%s is applying to this connection%s; its lease ends at %s", l.Holder, since, l.until()),
		"wait for it, or for the lease to end, and run again; if that run hangs, use --break-lease with --reason")
	return true
}
