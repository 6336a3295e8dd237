package live

import (
	"context"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// readBefore reads what is where the record says, when the files ask for it
// elsewhere: the link, and the SSH keys of another user. Only then are these
// requests made.
func (r *reader) readBefore(ctx context.Context, c *schema.Connection, have *plan.Have) error {
	record := have.Record
	if have.Moved != nil {
		record = have.Moved.Record
	}
	if record == nil {
		return nil
	}
	if err := r.readOldUser(ctx, c, record.About, have); err != nil {
		return err
	}
	return r.readOld(ctx, c, record.LinkURL, have)
}

func (r *reader) readOldUser(ctx context.Context, c *schema.Connection, about plan.About, have *plan.Have) error {
	if about.ServiceUser == "" || names.SameUser(about.ServiceUser, c.ServiceUser) || !names.SameURL(about.Bitbucket, c.Bitbucket.URL) {
		return nil
	}
	b := r.bitbuckets[c.Bitbucket.Label]
	client, err := r.sys.Bitbucket(ctx, b.label)
	if err != nil {
		return err
	}
	who, err := b.user(ctx, client, about.ServiceUser)
	have.OldKeys = who.keys
	return err
}

// readOld reads the link on the URL that the record names.
func (r *reader) readOld(ctx context.Context, c *schema.Connection, url string, have *plan.Have) error {
	if url == "" || names.SameURL(url, c.Link.URL) {
		return nil
	}
	b := r.bitbuckets[c.Bitbucket.Label]
	client, err := r.sys.Bitbucket(ctx, b.label)
	if err != nil {
		return err
	}
	links, err := b.links.get(func() (linkIndex, error) { return readLinks(ctx, client) })
	if err != nil {
		return err
	}
	link, ok := links.find(url)
	if !ok || !link.Generic() {
		return nil
	}
	key, err := consumerKey(ctx, client, link)
	if err != nil {
		return err
	}
	have.Old = &plan.OtherLink{Link: linkFacts(link), ConsumerKey: key}
	return nil
}
