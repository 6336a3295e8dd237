package live

import (
	"context"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// readListed completes a consumer whose key is in the list of links. Where the record
// has the same key and no rotation is under way, the rest is taken to be the record's;
// else it is read.
func (r *reader) readListed(ctx context.Context, c *schema.Connection, have *plan.Have) error {
	if !r.quick || have.Link == nil {
		return nil
	}
	b := r.bitbuckets[c.Bitbucket.Label]
	links, err := b.links.get(nil) // it was read before
	link, _ := links.find(c.Link.URL)
	if err != nil || !link.KeyListed || link.ConsumerKey == "" {
		return err
	}
	if known := have.Record; known != nil && known.Consumer != nil && known.Consumer.Key == link.ConsumerKey && known.Consumer.Previous == "" {
		have.Consumer = &plan.Consumer{
			Key: link.ConsumerKey, Name: c.Consumer.Name, Description: plan.OwnerMark(r.sys.Fleet().Name), Fingerprint: known.Consumer.Fingerprint,
		}
		return nil
	}
	client, err := r.sys.Bitbucket(ctx, b.label)
	if err != nil {
		return err
	}
	return readConsumer(ctx, client, link, have)
}
