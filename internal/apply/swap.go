package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/tfe"
)

// swapConsumer changes both sides to the record's pair, back to back. On
// failure the pair before goes back to both, then in the record: while one side
// may hold the new pair, its private half stays in Vault. When that fails too,
// or the run ends, the record says that the next one must go on.
func (r *runner) swapConsumer(ctx context.Context, s plan.SwapConsumer) error {
	consumer, err := r.consumer()
	if err != nil {
		return err
	}
	before := consumer.Previous
	if before == nil {
		return fmt.Errorf("consumer's pair before: %w", errNoKeys)
	}
	if s.ClientID, err = r.clientID(ctx, s.ClientID); err != nil {
		return err
	}
	if err := r.doubtToken(ctx); err != nil {
		return err
	}
	if before.Private.Empty() {
		return r.takeOver(ctx, s, consumer, before)
	}
	err = r.setPair(ctx, s, consumer)
	if err == nil || ctx.Err() != nil || r.held.Err() != nil {
		return err
	}
	if back := r.setPair(ctx, s, before); back != nil {
		return fmt.Errorf("%w; the pair before could not be put back on both sides: %w; run again to go on", err, back)
	}
	if back := r.held.Update(ctx, func(rec *record.Record) error {
		if rec.Consumer != nil && rec.Consumer.Previous != nil {
			rec.Consumer = rec.Consumer.Previous
		}
		return nil
	}); back != nil {
		return fmt.Errorf("%w; the pair before is back on both sides, but not in Vault: %w; run again to go on", err, back)
	}
	return fmt.Errorf("%w; the pair before is back on both sides", err)
}

// clientID returns the id of the connection's client where the plan did not know it.
func (r *runner) clientID(ctx context.Context, planned string) (string, error) {
	if planned != "" {
		return planned, nil
	}
	client, err := r.terraformClient(ctx)
	if err != nil {
		return "", err
	}
	found, err := r.findClient(ctx, client)
	return found.ID, err
}

// setPair sets a pair on Bitbucket and on Terraform and proves it.
func (r *runner) setPair(ctx context.Context, s plan.SwapConsumer, pair *record.Consumer) error {
	server, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	id, err := bitbucket.LinkID(s.LinkURL)
	if err != nil {
		return err
	}
	public, err := r.consumerHalf(ctx, pair)
	if err != nil {
		return err
	}
	if err := r.publishConsumer(ctx, server, id, s.Name, pair); err != nil {
		return fmt.Errorf("setting the consumer on Bitbucket: %w", err)
	}
	err = client.UpdateClient(ctx, s.ClientID, tfe.ClientUpdate{Key: &pair.Key, Secret: &pair.Private, RSAPublicKey: &public})
	if err != nil {
		return fmt.Errorf("setting the pair on Terraform: %w", err)
	}
	return server.ProveConsumer(ctx, pair.Key, pair.Private)
}

// takeOver changes both sides from a pair whose private half only Terraform has:
// once Terraform has the new one there is no way back. So Bitbucket changes
// first, the proof is made there, and Terraform is told last.
func (r *runner) takeOver(ctx context.Context, s plan.SwapConsumer, pair, before *record.Consumer) error {
	server, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	client, err := r.terraformClient(ctx)
	if err != nil {
		return err
	}
	id, err := bitbucket.LinkID(s.LinkURL)
	if err != nil {
		return err
	}
	public, err := r.consumerHalf(ctx, pair)
	if err != nil {
		return err
	}
	set := func(c *record.Consumer) error { return r.publishConsumer(ctx, server, id, s.Name, c) }
	if err := set(pair); err != nil {
		return fmt.Errorf("setting the consumer on Bitbucket: %w", err)
	}
	err = server.ProveConsumer(ctx, pair.Key, pair.Private)
	if err == nil {
		err = client.UpdateClient(ctx, s.ClientID, tfe.ClientUpdate{Key: &pair.Key, Secret: &pair.Private, RSAPublicKey: &public})
	}
	if err == nil || ctx.Err() != nil || r.held.Err() != nil {
		return err
	}
	if back := set(before); back != nil {
		return fmt.Errorf("%w; the public key before could not be put back on Bitbucket: %w; run again to go on", err, back)
	}
	return fmt.Errorf("%w; the public key before is back on Bitbucket; run again to go on", err)
}

// retireConsumer drops the pair before and destroys the versions that held it.
func (r *runner) retireConsumer(ctx context.Context) error {
	if err := r.pairReplaced(ctx); err != nil {
		return err
	}
	err := r.held.Update(ctx, func(rec *record.Record) error {
		c := rec.Consumer
		if c == nil || c.Previous == nil {
			return nil
		}
		rec.Retired = &record.RetiredKey{Fingerprint: c.Previous.Fingerprint, At: r.now(), Why: c.Previous.Compromised}
		c.Previous = nil
		return nil
	})
	if err != nil {
		return err
	}
	return r.destroyOld(ctx)
}

// pairReplaced returns nil only when the link's consumer, read once more, does not
// have the public key of the pair before.
func (r *runner) pairReplaced(ctx context.Context) error {
	rec := r.held.Record()
	if rec.Consumer == nil || rec.Consumer.Previous == nil || rec.Link == nil {
		return nil
	}
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	have, err := client.Consumer(ctx, rec.Link.ID)
	if errors.Is(err, bitbucket.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading whether the previous pair is replaced: %w", err)
	}
	if fingerprint, _ := keys.PublicFingerprint(have.PublicKey); fingerprint == rec.Consumer.Previous.Fingerprint { // "" when it does not parse
		return fmt.Errorf("the consumer on Bitbucket still has the previous public key, %s; run again", fingerprint)
	}
	return nil
}
