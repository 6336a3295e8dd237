package adminlogin

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/systems"
)

// End deletes the link, and with it the consumer and every token that was given to it,
// and then the key and the token in Vault.
func (l *Login) End(ctx context.Context) error {
	if l.kept.PrivateKey.Empty() {
		return fmt.Errorf("%w for bitbucket.%s", systems.ErrNoLogin, l.block.Label)
	}
	known, err := l.known(ctx)
	if err != nil {
		return err
	}
	if known {
		if err := l.deleteLink(ctx); err != nil {
			return fmt.Errorf("%w; or delete the application link %q (%s) in Bitbucket, then run this again", err, l.linkName(), l.linkURL())
		}
	}
	if err := l.keep(ctx, record.AdminLogin{Fleet: l.fleet, Bitbucket: l.block.URL}); err != nil {
		return err
	}
	return l.sys.Vault().DestroyOlder(ctx, l.block.Admin.Login, l.version)
}

func (l *Login) deleteLink(ctx context.Context) error {
	client, err := l.deleter(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	id, err := bitbucket.LinkID(l.linkURL())
	if err != nil {
		return err
	}
	if err := l.ours(ctx, client, bitbucket.Link{ID: id, URL: l.linkURL(), Name: l.linkName()}); err != nil {
		return err
	}
	err = client.DeleteLink(ctx, id)
	if err == nil || !errors.Is(err, bitbucket.ErrOAuth) {
		return err
	}
	// The token ended with the link, so that it cannot be read afterwards.
	if known, again := l.known(ctx); again != nil || !known {
		return again
	}
	return err
}

// deleter returns a client that can delete the link: with the token, or else with the
// password.
func (l *Login) deleter(ctx context.Context) (*bitbucket.Client, error) {
	if l.kept.Token.Empty() || l.block.Admin.Password != nil {
		return l.sys.NewBitbucket(ctx, l.block, l.sys.ByPassword(l.block))
	}
	return l.signed(ctx, l.kept.Token)
}
