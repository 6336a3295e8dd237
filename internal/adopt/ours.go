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

// Ours is what bbsync keeps already, by ids and fingerprints: nothing of it is to
// be taken over, and nobody is to be told to delete it.
type Ours struct {
	Clients, Links, Keys map[string]bool
	// Unknown are the clients of which no record says which SSH key Terraform holds.
	Unknown map[string]bool
}

// ReadOurs reads the records of the connections that the files describe.
func ReadOurs(ctx context.Context, v *vault.Client, connections []*schema.Connection) (Ours, error) {
	out := Ours{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
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

func (o Ours) add(r record.Record) {
	if r.Client != nil {
		o.Clients[r.Client.ID] = true
		o.Unknown[r.Client.ID] = r.SSH.Current != nil && r.SSH.Current.Fingerprint == ""
	}
	if r.Link != nil {
		o.Links[r.Link.ID] = true
	}
	for _, k := range []*record.SSHKey{r.SSH.Pending, r.SSH.Current, r.SSH.Previous} {
		if k != nil && k.Fingerprint != "" {
			o.Keys[k.Fingerprint] = true
		}
	}
}

func (o Ours) key(k bitbucket.SSHKey) bool {
	fingerprint, err := keys.SSHFingerprint(k.Line)
	return err == nil && o.Keys[fingerprint]
}

// madeElsewhere reports whether a key carries bbsync's label: it may be in use by a
// connection that these files do not describe, and a record that was not read.
func madeElsewhere(k bitbucket.SSHKey) bool { return strings.HasPrefix(k.Label, "bbsync/") }
