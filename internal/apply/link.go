package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
)

// createLink makes the link and notes it, or finds the one it made before.
func (r *runner) createLink(ctx context.Context, s plan.CreateLink) error {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	if err := r.doubtToken(ctx); err != nil { // the link that was there took its tokens with it
		return err
	}
	link, err := client.CreateLink(ctx, s.Name, s.URL)
	if errors.Is(err, bitbucket.ErrExists) {
		return r.linkExists(ctx, client, s)
	}
	if err != nil {
		return err
	}
	if link.Name != s.Name {
		r.warn(s, "another link had the name: Bitbucket named this one %q", link.Name)
	}
	return r.noteLink(ctx, s.URL)
}

// linkExists settles a link that is on the URL already: ours if its consumer is
// ours, or if it has none, as after an answer that was lost.
func (r *runner) linkExists(ctx context.Context, client bitbucketServer, s plan.CreateLink) error {
	id, err := bitbucket.LinkID(s.URL)
	if err != nil {
		return err
	}
	consumer, err := r.consumer()
	if err != nil {
		return err
	}
	have, err := client.Consumer(ctx, id)
	if err != nil && !errors.Is(err, bitbucket.ErrNotFound) {
		return err
	}
	if err == nil && have.Key != consumer.Key {
		return fmt.Errorf("somebody made a link on %s, with consumer key %s, after this was planned; plan again", s.URL, have.Key)
	}
	return r.noteLink(ctx, s.URL)
}

func (r *runner) noteLink(ctx context.Context, url string) error {
	id, err := bitbucket.LinkID(url)
	if err != nil {
		return err
	}
	if l := r.held.Record().Link; l != nil && l.ID == id {
		return nil
	}
	return r.held.Update(ctx, func(rec *record.Record) error {
		rec.Link = &record.Link{ID: id, URL: url, Made: r.now()}
		return nil
	})
}

func (r *runner) renameLink(ctx context.Context, s plan.RenameLink) error {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	link, ok, err := findLink(ctx, client, s.URL)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the link on %s is gone; plan again", s.URL)
	}
	if link.Name == s.To {
		return nil
	}
	return client.RenameLink(ctx, link, s.To)
}

func findLink(ctx context.Context, client bitbucketServer, url string) (bitbucket.Link, bool, error) {
	links, err := client.Links(ctx)
	for _, l := range links {
		if names.SameURL(l.URL, url) && !l.OAuth2() {
			return l, true, nil
		}
	}
	return bitbucket.Link{}, false, err
}

// deleteLink deletes the link as planned, and no other: one whose consumer is
// ours by now stays.
func (r *runner) deleteLink(ctx context.Context, s plan.DeleteLink) error {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	id, err := bitbucket.LinkID(s.URL)
	if err != nil {
		return err
	}
	have, err := client.Consumer(ctx, id)
	switch {
	case errors.Is(err, bitbucket.ErrNotFound):
	case err != nil:
		return err
	case have.Key != s.ConsumerKey:
		return nil
	}
	if err := r.doubtToken(ctx); err != nil {
		return err
	}
	return client.DeleteLink(ctx, id)
}

func (r *runner) setConsumer(ctx context.Context, s plan.SetConsumer) error {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	consumer, err := r.consumer()
	if err != nil {
		return err
	}
	id, err := bitbucket.LinkID(s.LinkURL)
	if err != nil {
		return err
	}
	if err := r.doubtChange(ctx, client, id, consumer); err != nil {
		return err
	}
	if err := r.publishConsumer(ctx, client, id, s.Name, consumer); err != nil {
		return err
	}
	return r.noteLink(ctx, s.LinkURL) // adopted links are noted here
}

// doubtChange doubts the token when the link's consumer is about to get another
// key or public key; a new name harms no token.
func (r *runner) doubtChange(ctx context.Context, client bitbucketServer, linkID string, want *record.Consumer) error {
	have, err := client.Consumer(ctx, linkID)
	if err != nil && !errors.Is(err, bitbucket.ErrNotFound) {
		return err
	}
	fingerprint, _ := keys.PublicFingerprint(have.PublicKey) // "" when it does not parse: differs
	if have.Key == want.Key && fingerprint == want.Fingerprint {
		return nil
	}
	return r.doubtToken(ctx)
}

func (r *runner) proveConsumer(ctx context.Context) error {
	client, err := r.bitbucketClient(ctx)
	if err != nil {
		return err
	}
	consumer, err := r.consumer()
	if err != nil {
		return err
	}
	if err := client.ProveConsumer(ctx, consumer.Key, consumer.Private); err != nil {
		return err
	}
	r.proof = "Bitbucket gave a request token for consumer key " + consumer.Key
	return nil
}
