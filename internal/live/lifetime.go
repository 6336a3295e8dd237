package live

import (
	"context"
	"errors"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/vault"
)

// readLifetime reads after how long Vault deletes what is written to a record. It is
// asked where it matters: where there is no record yet, or one that will be deleted.
// Where the token may not read the settings, the record's own time tells.
func (r *reader) readLifetime(ctx context.Context, path string, have *plan.Have) error {
	deletes := time.Time{}
	if have.Record != nil {
		if deletes = have.Record.Deletes; deletes.IsZero() {
			return nil
		}
	}
	client := r.sys.Vault()
	ofMount, err := r.lifetime.get(func() (time.Duration, error) { return client.MountLifetime(ctx) })
	if err == nil && ofMount == 0 && !deletes.IsZero() {
		have.Lifetime, err = client.RecordLifetime(ctx, path)
	} else {
		have.Lifetime = ofMount
	}
	if errors.Is(err, vault.ErrLifetimeUnknown) {
		if !deletes.IsZero() {
			have.Lifetime = max(time.Until(client.Local(deletes)).Round(time.Second), time.Second)
		}
		return nil
	}
	return err
}
