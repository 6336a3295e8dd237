package vault

import (
	"time"

	"github.com/bbsync/bbsync/internal/record"
)

// LeaseState judges a lease by Vault's clock.
func (c *Client) LeaseState(l *record.Lease) record.LeaseState { return l.State(c.transport.now()) }

// LeaseAge returns how long ago a lease was taken, by Vault's clock; 0 when the
// record does not say.
func (c *Client) LeaseAge(l *record.Lease) time.Duration { return l.Age(c.transport.now()) }

// Local converts a time of Vault's clock to ours.
func (c *Client) Local(t time.Time) time.Time { return t.Add(time.Since(c.transport.now())) }
