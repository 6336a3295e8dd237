package live

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// A sharedBitbucket is what is read of a Bitbucket once for all connections:
// its version, all links, each service user with its keys, the grants.
type sharedBitbucket struct {
	sys   *systems.Systems
	want  *schema.Bitbucket
	label string

	version future[bitbucket.Properties]
	links   future[linkIndex]
	mains   map[string]*future[string] // consumer keys of the links on Terraforms' own addresses, by address
	mu      sync.Mutex                 // of users
	users   map[string]*future[user]
	grants  map[string][]bitbucket.Permission // asked for, by user, each once
	repos   []bitbucket.Permission            // shared repositories, each once
	seen    map[plan.GrantPermission]bool
	shared  plan.Bitbucket // set when startShared's group is done
}

type linkIndex struct {
	byURL map[string]bitbucket.Link // as Bitbucket has the URL: two spellings are two links there
	byKey map[string]bitbucket.Link // by names.URLKey
	names map[string]int
}

// find returns the link on a URL: in this spelling, else in another one.
func (x linkIndex) find(url string) (bitbucket.Link, bool) {
	if link, ok := x.byURL[url]; ok {
		return link, true
	}
	link, ok := x.byKey[names.URLKey(url)]
	return link, ok
}

type user struct {
	user *plan.User
	keys map[string]plan.SSHKey
}

func newSharedBitbucket(sys *systems.Systems, want *schema.Bitbucket) *sharedBitbucket {
	return &sharedBitbucket{
		sys: sys, want: want, label: want.Label,
		mains:  map[string]*future[string]{},
		users:  map[string]*future[user]{},
		grants: map[string][]bitbucket.Permission{},
		seen:   map[plan.GrantPermission]bool{},
	}
}

// wants notes what a connection will ask of this Bitbucket. It is called before
// any reading starts.
func (b *sharedBitbucket) wants(c *schema.Connection) {
	name := names.UserKey(c.ServiceUser)
	if b.users[name] == nil {
		b.users[name] = &future[user]{}
	}
	if main := names.URLKey(c.Terraform.Address); b.mains[main] == nil {
		b.mains[main] = &future[string]{}
	}
	for _, g := range c.Grants {
		p := bitbucket.Permission{Project: g.Project, Repository: g.Repository, Name: g.Permission}
		key := plan.GrantPermission{User: c.ServiceUser, Project: g.Project, Repository: g.Repository, Permission: g.Permission}.Key()
		if !b.seen[key] {
			b.seen[key] = true
			b.grants[name] = append(b.grants[name], p)
		}
		repo := plan.GrantPermission{Project: g.Project, Repository: g.Repository}
		if g.Repository != "" && !b.seen[repo] {
			b.seen[repo] = true
			b.repos = append(b.repos, p)
		}
	}
}

func (r *reader) readBitbucket(ctx context.Context, c *schema.Connection, have *plan.Have) error {
	b := r.bitbuckets[c.Bitbucket.Label]
	client, err := r.sys.Bitbucket(ctx, b.label)
	if err != nil {
		return err
	}
	properties, err := b.properties(ctx, client)
	if err != nil {
		return err
	}
	have.Bitbucket = versionFacts(properties.Version)
	links, err := b.links.get(func() (linkIndex, error) { return readLinks(ctx, client) })
	if err != nil {
		return err
	}
	if err := readLink(ctx, client, c, links, r.quick, have); err != nil {
		return err
	}
	if err := b.readMain(ctx, client, c, links, have); err != nil {
		return err
	}
	who, err := b.user(ctx, client, c.ServiceUser)
	have.User, have.Keys = who.user, who.keys
	return err
}

func readLinks(ctx context.Context, client *bitbucket.Client) (linkIndex, error) {
	links, err := client.Links(ctx)
	n := len(links)
	index := linkIndex{byURL: make(map[string]bitbucket.Link, n), byKey: make(map[string]bitbucket.Link, n), names: make(map[string]int, n)}
	for _, l := range links {
		index.names[l.Name]++
		if l.OAuth2() { // its address is that of a redirect, and is no link on it
			continue
		}
		index.byURL[l.URL] = l
		if key := names.URLKey(l.URL); index.byKey[key].ID == "" {
			index.byKey[key] = l
		}
	}
	return index, err
}

// readLink reads a connection's link and its consumer. In a quick reading readListed
// reads the consumer afterwards, where the list has its key.
func readLink(ctx context.Context, client *bitbucket.Client, c *schema.Connection, links linkIndex, quick bool, have *plan.Have) error {
	link, ok := links.find(c.Link.URL)
	listed := quick && link.KeyListed
	have.NameTaken = links.names[c.Link.Name] > 0 && (!ok || link.Name != c.Link.Name)
	if !ok {
		return nil
	}
	facts := linkFacts(link)
	have.Link = &facts
	if listed {
		return nil
	}
	return readConsumer(ctx, client, link, have)
}

func readConsumer(ctx context.Context, client *bitbucket.Client, link bitbucket.Link, have *plan.Have) error {
	consumer, err := client.Consumer(ctx, link.ID)
	if errors.Is(err, bitbucket.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	fingerprint, _ := keys.PublicFingerprint(consumer.PublicKey) // "" when it does not parse: differs from every key
	have.Consumer = &plan.Consumer{Key: consumer.Key, Name: consumer.Name, Description: consumer.Description, Fingerprint: fingerprint}
	return nil
}

// readMain reads the link on Terraform's own address, where the connection wants
// another: a person may have connected the organization with it. That is one
// request for all connections.
func (b *sharedBitbucket) readMain(ctx context.Context, client *bitbucket.Client, c *schema.Connection, links linkIndex, have *plan.Have) error {
	main := c.Terraform.Address
	link, ok := links.find(main)
	if !ok || names.SameURL(c.Link.URL, main) || !link.Generic() {
		return nil
	}
	key, err := b.mains[names.URLKey(main)].get(func() (string, error) { return consumerKey(ctx, client, link) })
	have.Main = &plan.OtherLink{Link: linkFacts(link), ConsumerKey: key}
	return err
}

// consumerKey returns the key of a link's consumer, "" for none: from the list where
// that has it.
func consumerKey(ctx context.Context, client *bitbucket.Client, link bitbucket.Link) (string, error) {
	if link.KeyListed {
		return link.ConsumerKey, nil
	}
	consumer, err := client.Consumer(ctx, link.ID)
	if errors.Is(err, bitbucket.ErrNotFound) {
		return "", nil
	}
	return consumer.Key, err
}

func linkFacts(link bitbucket.Link) plan.Link {
	return plan.Link{ID: link.ID, Name: link.Name, URL: link.URL, Type: link.Type}
}

// user reads a user once.
func (b *sharedBitbucket) user(ctx context.Context, client *bitbucket.Client, name string) (user, error) {
	b.mu.Lock()
	one := b.users[names.UserKey(name)]
	if one == nil {
		one = &future[user]{}
		b.users[names.UserKey(name)] = one
	}
	b.mu.Unlock()
	return one.get(func() (user, error) { return readUser(ctx, client, name) })
}

func readUser(ctx context.Context, client *bitbucket.Client, name string) (user, error) {
	if name == "" { // a record without its service user: the connection to remove has none
		return user{}, nil
	}
	found, err := client.User(ctx, name)
	if errors.Is(err, bitbucket.ErrNotFound) {
		return user{}, nil
	}
	if err != nil {
		return user{}, err
	}
	out := user{user: &plan.User{ID: found.ID, Name: found.Name, Slug: found.Slug, DisplayName: found.DisplayName, Active: found.Active}}
	live, err := client.SSHKeys(ctx, name)
	out.keys = make(map[string]plan.SSHKey, len(live))
	for _, k := range live {
		fingerprint, err := keys.SSHFingerprint(k.Line)
		if err != nil { // of a kind that we do not know: none of ours
			fingerprint = fmt.Sprintf("that cannot be read, with id %d,", k.ID)
		}
		out.keys[fingerprint] = plan.SSHKey{
			ID: k.ID, Fingerprint: fingerprint, Label: k.Label, Created: k.Created, LastUsed: k.LastAuthenticated, Expires: k.Expires(),
		}
	}
	return out, err
}
