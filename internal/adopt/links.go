package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/schema"
)

// A Link is an application link with its consumer, nil for none. Of a consumer that no
// client can be matched with, the key alone is known.
type Link struct {
	bitbucket.Link
	Bitbucket *schema.Bitbucket
	Consumer  *bitbucket.Consumer
}

// links reads the links of a Bitbucket, and of the consumers those that clients may be
// matched with: their keys are in the list.
func (r *reader) links(ctx context.Context, b *schema.Bitbucket, bitbuckets []*schema.Bitbucket) error {
	client, err := r.sys.Bitbucket(ctx, b.Label)
	if err != nil {
		return err
	}
	all, err := client.Links(ctx)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(l bitbucket.Link) bool { return !l.Generic() || l.Own() })
	asked := r.askedConsumers(b, all, bitbuckets)
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, l := range all {
		group.Go(func() error { return r.link(reading, client, Link{Link: l, Bitbucket: b}, asked(l)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return r.orphans(ctx, client, b)
}

// askedConsumers decides whose consumer is read. Where a client's key is in no link, its
// public key may be, under another key.
func (r *reader) askedConsumers(b *schema.Bitbucket, all []bitbucket.Link, bitbuckets []*schema.Bitbucket) func(bitbucket.Link) bool {
	wanted, listed := map[string]bool{}, map[string]bool{}
	for _, c := range r.found.Clients {
		if bitbucketOf(c, bitbuckets) == b {
			wanted[c.Key] = true
		}
	}
	for _, l := range all {
		listed[l.ConsumerKey] = true
	}
	alone := false
	for key := range wanted {
		alone = alone || !listed[key]
	}
	return func(l bitbucket.Link) bool {
		return !l.KeyListed || l.ConsumerKey != "" && (alone || wanted[l.ConsumerKey])
	}
}

func (r *reader) link(ctx context.Context, client *bitbucket.Client, l Link, ask bool) error {
	if l.ConsumerKey != "" {
		l.Consumer = &bitbucket.Consumer{Key: l.ConsumerKey}
	}
	if ask {
		consumer, err := client.Consumer(ctx, l.ID)
		switch {
		case err == nil:
			l.Consumer = &consumer
		case errors.Is(err, bitbucket.ErrNotFound):
			l.Consumer = nil
		case bitbucket.ConcernsObject(err):
			r.unreadable("application link %s of bitbucket.%s: %v", l.URL, l.Bitbucket.Label, err)
			return nil
		default:
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.Links = append(r.found.Links, l)
	return nil
}

func (r *reader) unreadable(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.Unmatched = append(r.found.Unmatched, Unmatched{Kind: Unreadable, Text: fmt.Sprintf(format, args...)})
}

// orphans reports consumers that belong to no link.
func (r *reader) orphans(ctx context.Context, client *bitbucket.Client, b *schema.Bitbucket) error {
	keys, err := client.OrphanedConsumers(ctx)
	switch {
	case errors.Is(err, bitbucket.ErrTooOld):
		return nil
	case err != nil:
		return err
	}
	for _, key := range keys {
		r.found.Unmatched = append(r.found.Unmatched, Unmatched{
			Kind: OrphanedConsumer, Text: fmt.Sprintf("consumer key %q on bitbucket.%s", key, b.Label),
			Remedy: "Bitbucket still accepts it: delete it there unless something uses it (DELETE /rest/applinks/latest/orphaned-trust/OAUTH/KEY, as an administrator)",
		})
	}
	return nil
}
