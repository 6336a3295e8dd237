package adopt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// Existing is what bbsync manages already, by ids and fingerprints: it is neither
// imported nor reported.
type Existing struct {
	Clients, Links, Keys map[string]bool
	// Unknown are the clients of which no record says which SSH key Terraform holds.
	Unknown map[string]bool
}

// readExisting reads the records of the connections in the configuration.
func readExisting(ctx context.Context, v *vault.Client, connections []*schema.Connection) (Existing, error) {
	out := Existing{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, c := range connections {
		group.Go(func() error {
			rec, _, err := v.Read(ctx, c.Record)
			switch {
			case errors.Is(err, vault.ErrDeleted), errors.Is(err, vault.ErrNotFound), errors.Is(err, record.ErrNotRecord):
				return nil
			case err != nil:
				return fmt.Errorf("%s: reading its record: %w", c.Address, err)
			}
			mu.Lock()
			defer mu.Unlock()
			out.add(rec)
			return nil
		})
	}
	return out, group.Wait()
}

func (e Existing) add(r record.Record) {
	if r.Client != nil {
		e.Clients[r.Client.ID] = true
		e.Unknown[r.Client.ID] = r.SSH.Current != nil && r.SSH.Current.Fingerprint == ""
	}
	if r.Link != nil {
		e.Links[r.Link.ID] = true
	}
	for _, k := range []*record.SSHKey{r.SSH.Pending, r.SSH.Current, r.SSH.Previous} {
		if k != nil && k.Fingerprint != "" {
			e.Keys[k.Fingerprint] = true
		}
	}
}

func (e Existing) key(k bitbucket.SSHKey) bool {
	fingerprint, err := keys.SSHFingerprint(k.Line)
	return err == nil && e.Keys[fingerprint]
}

// madeElsewhere reports whether a key carries bbsync's label: it may be in use by a
// connection that these files do not describe, and a record that was not read.
func madeElsewhere(k bitbucket.SSHKey) bool { return strings.HasPrefix(k.Label, "bbsync/") }
