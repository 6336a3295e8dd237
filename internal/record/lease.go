package record

import "time"

// MaxLease is the longest lease that is respected. bbsync takes much shorter ones
// and renews them: otherwise anyone who may write a record could keep every run off
// it for years.
const MaxLease = 10 * time.Minute

// ClockMargin is how much two readings of Vault's clock may differ: its Date
// header has whole seconds, and the nodes of a cluster have clocks of their own.
const ClockMargin = 2 * time.Second

// A Lease keeps two runs from changing one connection at once. It is a field of the
// record, so that taking it, renewing it and every key write share one
// check-and-set: a holder that was paused past its expiry cannot write.
type Lease struct {
	Holder  string    // the run, as a reader would recognize it
	Nonce   string    // of this holding
	Taken   time.Time // by Vault's clock, as is Expires; renewing does not change it
	Expires time.Time
}

// LeaseState is what a lease that is found in a record means.
type LeaseState int

// The states of a lease.
const (
	LeaseFree   LeaseState = iota // there is none, or it expired
	LeaseHeld                     // another run is working
	LeaseBroken                   // bbsync does not write such a lease: it is ignored
)

// State judges the lease at a time of Vault's clock.
func (l *Lease) State(now time.Time) LeaseState {
	switch {
	case l == nil || !now.Before(l.Expires.Add(ClockMargin)):
		return LeaseFree
	case l.Nonce == "" || l.Expires.After(now.Add(MaxLease+ClockMargin)):
		return LeaseBroken
	}
	return LeaseHeld
}

// Age returns how long ago the lease was taken, by Vault's clock; 0 when the record
// does not say.
func (l *Lease) Age(now time.Time) time.Duration {
	if l == nil || l.Taken.IsZero() {
		return 0
	}
	return max(now.Sub(l.Taken), 0)
}

// Same reports whether two leases are one, which may have been renewed.
func (l *Lease) Same(other *Lease) bool {
	return other != nil && l.Holder == other.Holder && l.Taken.Equal(other.Taken)
}
