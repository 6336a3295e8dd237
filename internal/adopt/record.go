package adopt

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// Record returns what can be known of a connection that people made: the public
// halves. The private ones only Terraform has, and it shows none. The ages are
// those of the client and the token, as keys are not older in Terraform.
func Record(fleet string, c *schema.Connection, m Match) record.Record {
	consumer, _ := keys.PublicFingerprint(m.Link.Consumer.PublicKey) // it was paired by it
	r := record.Record{
		Fleet: fleet, Address: c.Address, Terraform: c.Terraform.Address, Organization: c.Organization,
		Bitbucket: c.Bitbucket.URL, ServiceUser: c.ServiceUser, Protected: c.Protect,
		Consumer: &record.Consumer{Key: m.Client.Key, Public: m.Link.Consumer.PublicKey, Fingerprint: consumer, Created: m.Client.Created},
		Link:     &record.Link{ID: m.Link.ID, URL: m.Link.URL},
		Client:   &record.OAuthClient{ID: m.Client.ID, Made: m.Client.Created},
	}
	key := &record.SSHKey{Token: m.Client.Token.ID, Created: m.Client.Token.Created, Set: m.Client.Token.Created}
	if m.Key != nil {
		key.Public = m.Key.Line
		key.Fingerprint, _ = keys.SSHFingerprint(m.Key.Line) // "" for a kind we do not know: as if it were not known which
		if !m.Key.Created.IsZero() {
			key.Created = m.Key.Created
		}
	}
	r.SSH.Current = key
	r.Authorized = &record.Authorized{Token: m.Client.Token.ID, User: m.Client.Token.User, Account: m.User.ID}
	return r
}

// writeRecord writes a record where there is none. It reports false when there is one.
func writeRecord(ctx context.Context, v *vault.Client, path string, r record.Record) (bool, error) {
	have, version, err := v.Read(ctx, path)
	var deleted *vault.DeletedError
	switch {
	case errors.Is(err, vault.ErrNotFound):
	case errors.As(err, &deleted):
		version = deleted.Version
	case err != nil:
		return false, err
	case have.Consumer != nil || have.Lease != nil:
		return false, nil
	}
	r.Generation = have.Generation
	if err := v.Begin(ctx, path, r, version); err != nil {
		return false, fmt.Errorf("writing the record of %s: %w", r.Address, err)
	}
	return true, nil
}
