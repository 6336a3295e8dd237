package vault

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/bbsync/bbsync/internal/record"
)

// ReadAdminLogin returns bbsync's own Bitbucket login at path, which is below
// Config.Path. A missing one is ErrNotFound; a deleted one a DeletedError with the
// version to go on from.
func (c *Client) ReadAdminLogin(ctx context.Context, path string) (record.AdminLogin, Version, error) {
	fields, about, err := c.read(ctx, path, 0)
	if err != nil {
		return record.AdminLogin{}, about.Version, err
	}
	l, err := record.DecodeAdminLogin(fields)
	if err != nil {
		err = fmt.Errorf("vault: %s: %w", c.shown(path), err)
	}
	return l, about.Version, err
}

// WriteAdminLogin writes the login, if the version that is there is cas; else it is
// ErrConflict. The version written is returned.
func (c *Client) WriteAdminLogin(ctx context.Context, path string, l record.AdminLogin, cas Version) (Version, error) {
	if err := checkPath(path); err != nil {
		return 0, fmt.Errorf("vault: Bitbucket login: %w", err)
	}
	version, _, err := c.writeFields(ctx, path, record.EncodeAdminLogin(l, rand.Text()), cas)
	return version, err
}
