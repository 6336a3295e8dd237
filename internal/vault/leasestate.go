package vault

import "time"

// MaxLease is the longest lease that is believed. bbsync takes much shorter ones
// and renews them: anyone who may write a record could otherwise keep every run off
// it for years.
const MaxLease = 10 * time.Minute

// LeaseState is what a lease that is found in a record means.
type LeaseState int

// The states of a lease.
const (
	LeaseFree   LeaseState = iota // there is none, or it ran out
	LeaseHeld                     // another run is at work
	LeaseBroken                   // bbsync does not write such a lease: it keeps nobody off
)

// LeaseState judges a lease by Vault's clock.
func (c *Client) LeaseState(l *Lease) LeaseState { return l.state(c.door.now()) }

// LeaseAge returns how long ago a lease was taken, by Vault's clock; 0 when the
// record does not say.
func (c *Client) LeaseAge(l *Lease) time.Duration {
	if l == nil || l.Taken.IsZero() {
		return 0
	}
	return max(c.door.now().Sub(l.Taken), 0)
}

// Local returns a time of Vault's clock by ours.
func (c *Client) Local(t time.Time) time.Time { return t.Add(time.Since(c.door.now())) }

func (l *Lease) state(now time.Time) LeaseState {
	switch {
	case l == nil || !now.Before(l.Expires.Add(clockMargin)):
		return LeaseFree
	case l.Nonce == "" || l.Expires.After(now.Add(MaxLease+clockMargin)):
		return LeaseBroken
	}
	return LeaseHeld
}

// same reports whether two leases are one, which may have been renewed.
func (l *Lease) same(other *Lease) bool {
	return other != nil && l.Holder == other.Holder && l.Taken.Equal(other.Taken)
}
