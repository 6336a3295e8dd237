package vault

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"
)

// leased are the secrets that Vault made for this client, such as the credentials
// of a database: each read makes another, which ends with its lease. So a path is
// read once, its lease is renewed, and revoked at the end.
type leased struct {
	mu     sync.Mutex
	fields map[string]map[string]json.RawMessage // by path
	ids    []string                              // of the leases that are ours to revoke
}

// leaseOf is the lease in an answer; ID is "" if there is none.
type leaseOf struct {
	ID        string `json:"lease_id"`
	Seconds   int    `json:"lease_duration"`
	Renewable bool   `json:"renewable"`
}

// readLeased reads a path outside of KV version 2. It asks for one path at a time:
// what two fields of one secret are for belongs together.
func (c *Client) readLeased(ctx context.Context, req request) (map[string]json.RawMessage, error) {
	c.leased.mu.Lock()
	defer c.leased.mu.Unlock()
	if fields, ok := c.leased.fields[req.path]; ok {
		return fields, nil
	}
	fields, have, err := fetch[map[string]json.RawMessage](ctx, c, req)
	switch {
	case err != nil:
		return nil, err
	case fields == nil:
		return nil, unwritten(absent(req, have), req.path)
	case have.lease.ID != "":
		c.keepLease(req.path, *fields, have)
	}
	return *fields, nil
}

// keepLease renews a lease until the client is closed. An agent that caches hands
// one lease to all its clients, renews it, and nobody else may end it.
func (c *Client) keepLease(path string, fields map[string]json.RawMessage, have response) {
	if c.leased.fields == nil {
		c.leased.fields = map[string]map[string]json.RawMessage{}
	}
	c.leased.fields[path] = fields
	if c.cfg.Auth.agent() && have.cache != "" {
		return
	}
	c.leased.ids = append(c.leased.ids, have.lease.ID)
	if !have.lease.Renewable {
		return
	}
	watcher, err := c.api.NewLifetimeWatcher(&api.LifetimeWatcherInput{
		Secret: &api.Secret{LeaseID: have.lease.ID, LeaseDuration: have.lease.Seconds, Renewable: true},
	})
	if err != nil {
		return // only for missing input
	}
	c.tasks.Go(watcher.Start)
	c.tasks.Go(func() {
		defer watcher.Stop()
		select {
		case <-c.alive.Done():
		case <-watcher.DoneCh(): //nolint:errcheck // a lease that cannot be renewed any more ends, and the system it is for says so
		}
	})
}

// revokeLeases ends what Vault made for this client. It is best effort: a policy
// may not allow it, and leases end by themselves, or with the token of a login.
func (c *Client) revokeLeases() {
	c.leased.mu.Lock()
	defer c.leased.mu.Unlock()
	ctx, cancel := context.WithTimeout(c.alive, 3*time.Second)
	defer cancel()
	for _, id := range c.leased.ids {
		_ = c.api.Sys().RevokeWithContext(ctx, id)
	}
	c.leased.ids = nil
}
