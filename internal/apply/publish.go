package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

// This file is where public halves leave for Bitbucket and Terraform. They are
// derived from the whole private key each time, whatever the record says of them.

var errNoPrivate = errors.New("its private half is not in Vault, so that its public half is not published")

// sshHalf returns the pair of an SSH key that is to be published.
func sshHalf(key *record.SSHKey, comment string) (keys.Pair, error) {
	if key.Private.Empty() {
		return keys.Pair{}, fmt.Errorf("SSH key %s: %w", key.Fingerprint, errNoPrivate)
	}
	return keys.SSHFrom(key.Private, comment)
}

// consumerHalf returns the public half of a consumer's pair that is to be
// published. Where only Terraform has the private half, it is the one that
// Terraform shows, if that is the record's.
func (r *runner) consumerHalf(ctx context.Context, c *record.Consumer) (string, error) {
	if !c.Private.Empty() {
		pair, err := keys.ConsumerFrom(c.Private)
		return pair.Public, err
	}
	client, err := r.terraformClient(ctx)
	if err != nil {
		return "", err
	}
	found, err := r.findClient(ctx, client)
	if err != nil {
		return "", err
	}
	if have, err := keys.PublicFingerprint(found.RSAPublicKey); err != nil || have != c.Fingerprint {
		return "", fmt.Errorf("consumer's pair %s: %w: OAuth client %s of Terraform has another", c.Fingerprint, errNoPrivate, found.ID)
	}
	return found.RSAPublicKey, nil
}

// publishConsumer sets a link's consumer to a pair.
func (r *runner) publishConsumer(ctx context.Context, server bitbucketServer, linkID, name string, c *record.Consumer) error {
	public, err := r.consumerHalf(ctx, c)
	if err != nil {
		return err
	}
	return server.SetConsumer(ctx, linkID, bitbucket.Consumer{Key: c.Key, Name: name, PublicKey: public, Description: plan.OwnerMark(r.fleet)})
}
