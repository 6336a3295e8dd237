// Package adminlogin logs bbsync in to a Bitbucket by OAuth 1.0a: it makes an
// application link of bbsync's own, asks for a person's consent, checks whose consent
// it is and what it is good for, and keeps key and token in Vault. It opens no page
// and prints nothing.
package adminlogin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// A Login is one Bitbucket's login under way.
type Login struct {
	sys   *systems.Systems
	block *schema.Bitbucket
	fleet string
	now   func() time.Time

	kept    record.AdminLogin
	version vault.Version
	flow    *bitbucket.Client // without an account
	request bitbucket.RequestToken
}

// Begin reads what is kept of the login in Vault. The caller closes the Login.
func Begin(ctx context.Context, sys *systems.Systems, block *schema.Bitbucket, now func() time.Time) (*Login, error) {
	l := &Login{sys: sys, block: block, fleet: sys.Fleet().Name, now: now}
	var err error
	l.kept, l.version, err = sys.Vault().ReadAdminLogin(ctx, block.Admin.Login)
	if err != nil && !errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrDeleted) {
		return nil, err
	}
	l.flow, err = sys.NewBitbucket(ctx, block, func(_ context.Context, config *bitbucket.Config) error {
		config.Username = ""
		return nil
	})
	return l, err
}

// Close closes the connections to Bitbucket.
func (l *Login) Close() { l.flow.Close() }

// Ask makes sure that Bitbucket has the link and asks for a person's consent, with
// callback as the address that Bitbucket sends the person's browser to. It returns the
// page to click Allow on. A *ByHandError says that a person must make the link.
func (l *Login) Ask(ctx context.Context, callback string) (page string, err error) {
	if err := l.makeKeys(ctx); err != nil {
		return "", err
	}
	if err := l.makeLink(ctx); err != nil {
		return "", err
	}
	l.request, err = l.flow.RequestToken(ctx, l.kept.ConsumerKey, l.kept.PrivateKey, callback)
	return l.flow.AllowURL(l.request), err
}

// Asked reports whether a token is that of the latest Ask.
func (l *Login) Asked(token string) bool { return l.request.Token != "" && token == l.request.Token }

// makeKeys makes the key pair and keeps it before Bitbucket learns of it, so that a
// run that is cut off is resumed with the same one.
func (l *Login) makeKeys(ctx context.Context) error {
	if !l.kept.PrivateKey.Empty() && names.SameURL(l.kept.Bitbucket, l.block.URL) {
		return nil
	}
	pair, err := keys.GenerateConsumer(keys.DefaultRSABits)
	if err != nil {
		return err
	}
	return l.keep(ctx, record.AdminLogin{Fleet: l.fleet, Bitbucket: l.block.URL, ConsumerKey: keys.ConsumerKey(), PrivateKey: pair.Private})
}

func (l *Login) keep(ctx context.Context, next record.AdminLogin) error {
	version, err := l.sys.Vault().WriteAdminLogin(ctx, l.block.Admin.Login, next, l.version)
	if errors.Is(err, vault.ErrConflict) {
		return fmt.Errorf("somebody else logs in to %s at the same time; run again: %w", l.block.URL, err)
	}
	if err != nil {
		return err
	}
	l.kept, l.version = next, version
	return nil
}

// A WrongUserError says that somebody else than the administrator of the configuration
// clicked Allow.
type WrongUserError struct{ User, Want, Bitbucket string }

func (e *WrongUserError) Error() string {
	return fmt.Sprintf("%s clicked Allow, not %s: log out of %s, log in there as %s, and allow it again; %s can revoke the token that was made on the page Authorized applications of the own account",
		e.User, e.Want, e.Bitbucket, e.Want, e.User)
}

// Accept takes the verification code of a person's consent, makes sure that it is the
// administrator's and that application links can be used with it, and keeps the token.
func (l *Login) Accept(ctx context.Context, code string) error {
	access, err := l.flow.AccessToken(ctx, l.kept.ConsumerKey, l.kept.PrivateKey, l.request, code)
	if err != nil {
		return err
	}
	client, err := l.signed(ctx, access.Token)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := l.check(ctx, client); err != nil {
		return err
	}
	next := l.kept
	next.Username, next.Token, next.Made, next.Ends = l.block.Admin.Username, access.Token, l.now(), access.Ends
	if err := l.keep(ctx, next); err != nil {
		return err
	}
	return l.sys.Vault().DestroyOlder(ctx, l.block.Admin.Login, l.version)
}

func (l *Login) check(ctx context.Context, client *bitbucket.Client) error {
	want := l.block.Admin.Username
	who, err := client.Account(ctx)
	if err != nil {
		return err
	}
	if !names.SameUser(who, want) {
		return &WrongUserError{who, want, l.block.URL}
	}
	held, err := client.HasPermissions(ctx, want, []bitbucket.Permission{{Name: "ADMIN"}})
	if err != nil {
		return err
	}
	if !held[0].Held {
		return fmt.Errorf("%s has no global ADMIN permission at %s, which application links take: grant it (Administration, Global permissions), then run bbsync login again", want, l.block.URL)
	}
	if err := client.AdminSession(ctx); err != nil {
		return fmt.Errorf("%s has allowed it, and Bitbucket does not let bbsync use application links with that, so the token was not kept: %w", want, err)
	}
	return nil
}

func (l *Login) signed(ctx context.Context, token secret.Text) (*bitbucket.Client, error) {
	return l.sys.NewBitbucket(ctx, l.block, func(_ context.Context, config *bitbucket.Config) error {
		config.OAuth = &bitbucket.OAuth{ConsumerKey: l.kept.ConsumerKey, PrivateKey: l.kept.PrivateKey, Token: token}
		return nil
	})
}

// Ends returns when the login ends; zero: Bitbucket did not say.
func (l *Login) Ends() time.Time { return l.kept.Ends }
