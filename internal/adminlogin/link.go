package adminlogin

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
)

// linkURL is the address of bbsync's own link. It leads nowhere (RFC 2606): Bitbucket
// calls no generic link, and only wants addresses to differ.
func (l *Login) linkURL() string { return bitbucket.OwnLinks + l.fleet }

func (l *Login) linkName() string { return "bbsync (" + l.fleet + ")" }

// A ByHandError says what a person must enter to make the link, as bbsync has no
// password to do it with.
type ByHandError struct{ Bitbucket, URL, Name, ConsumerKey, PublicKey string }

func (e *ByHandError) Error() string {
	return fmt.Sprintf("%s has no application link for bbsync yet, and admin has no password to make it with: make it in Bitbucket, or add the password block for this once", e.Bitbucket)
}

// makeLink makes sure that Bitbucket knows the key pair, which a request token proves.
func (l *Login) makeLink(ctx context.Context) error {
	known, err := l.known(ctx)
	if known || err != nil {
		return err
	}
	pair, err := keys.DeriveConsumer(l.kept.PrivateKey)
	if err != nil {
		return err
	}
	if l.block.Admin.Password == nil {
		return &ByHandError{l.block.URL, l.linkURL(), l.linkName(), l.kept.ConsumerKey, pair.Public}
	}
	client, err := l.sys.NewBitbucket(ctx, l.block, l.sys.ByPassword(l.block))
	if err != nil {
		return err
	}
	defer client.Close()
	link, err := client.CreateLink(ctx, l.linkName(), l.linkURL())
	if errors.Is(err, bitbucket.ErrExists) {
		err = l.ours(ctx, client, link)
	}
	if err != nil {
		return err
	}
	return client.SetConsumer(ctx, link.ID, bitbucket.Consumer{Key: l.kept.ConsumerKey, Name: l.linkName(), PublicKey: pair.Public})
}

// known reports whether Bitbucket has the consumer with its public key.
func (l *Login) known(ctx context.Context) (bool, error) {
	err := l.flow.ProveConsumer(ctx, l.kept.ConsumerKey, l.kept.PrivateKey)
	problem, refused := errors.AsType[*bitbucket.OAuthProblem](err)
	if refused && (problem.Problem == "consumer_key_unknown" || problem.Problem == "signature_invalid") {
		return false, nil
	}
	return err == nil, err
}

// ours returns nil when a link that is there has no consumer or this login's.
func (l *Login) ours(ctx context.Context, client *bitbucket.Client, link bitbucket.Link) error {
	have, err := client.Consumer(ctx, link.ID)
	switch {
	case errors.Is(err, bitbucket.ErrNotFound):
		return nil
	case err != nil:
		return err
	case have.Key != l.kept.ConsumerKey:
		return fmt.Errorf("the application link %q (%s) at %s has consumer key %s, and Vault holds the key of %s: another fleet with this name may use it, or its key was lost; "+
			"if nobody does, delete the link in Bitbucket (Administration, Application links), then run bbsync login again", link.Name, link.URL, l.block.URL, have.Key, l.kept.ConsumerKey)
	}
	return nil
}
