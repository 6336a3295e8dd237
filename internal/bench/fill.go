// Package bench puts a sandbox into the state that a finished fleet leaves
// behind, in seconds for ten thousand connections, so that a steady state can
// be counted and timed without the hours that generating its keys would take.
//
// It takes no way that bbsync itself takes, and it proves nothing about apply:
// whether what it leaves is in sync, bbsync's own plan says.
package bench

import (
	"context"
	"crypto/rand"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
	"github.com/bbsync/bbsync/schema"
)

// writers is how many records are written at once.
const writers = 16

// Fill brings every connection of the fleet into sync. All share one consumer
// pair, as a consumer is known by its key. SSH keys are each unique, as Bitbucket
// has it, and in the form of a key only; Terraform is given one that works.
func Fill(ctx context.Context, world *sandbox.World, fleet *schema.Fleet) error {
	f, err := newFiller(ctx, world, fleet)
	if err != nil {
		return err
	}
	defer f.vault.Close()
	for _, c := range fleet.Connections {
		if err := f.grant(c); err != nil {
			return fmt.Errorf("%s: %w", c.Address, err)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, c := range fleet.Connections {
		rec, err := f.connect(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Address, err)
		}
		group.Go(func() error {
			_, err := f.vault.Write(ctx, c.Record, rec, 0)
			return err
		})
	}
	return group.Wait()
}

type filler struct {
	world    *sandbox.World
	fleet    *schema.Fleet
	vault    *vault.Client
	consumer keys.Pair
	ssh      keys.Pair
	servers  map[string]*bitbucketd.Server // by URL
	now      time.Time
	granted  map[plan.GrantPermission]bool
}

func newFiller(ctx context.Context, world *sandbox.World, fleet *schema.Fleet) (*filler, error) {
	f := &filler{
		world: world, fleet: fleet, now: time.Now().UTC(),
		servers: map[string]*bitbucketd.Server{}, granted: map[plan.GrantPermission]bool{},
	}
	for _, s := range world.Bitbuckets {
		f.servers[s.BaseURL()] = s
	}
	var err error
	if f.consumer, err = keys.GenerateConsumer(keys.DefaultRSABits); err != nil {
		return nil, err
	}
	if f.ssh, err = keys.GenerateSSH(keys.DefaultRSABits, ""); err != nil {
		return nil, err
	}
	f.vault, err = vault.Login(ctx, vault.Config{
		Address: world.Facts.Vault.Address, Mount: fleet.Vault.Mount, Path: fleet.Vault.Path,
		Auth: vault.Auth{Method: vault.MethodToken, Token: secret.New(world.Facts.Vault.Token)},
	})
	return f, err
}

// grant gives the service user what the connection asks for, once.
func (f *filler) grant(c *schema.Connection) error {
	server := f.servers[c.Bitbucket.URL]
	if server == nil {
		return fmt.Errorf("the sandbox has no Bitbucket at %s", c.Bitbucket.URL)
	}
	for _, g := range c.Grants {
		key := plan.GrantPermission{User: c.Bitbucket.Label + " " + c.ServiceUser, Project: g.Project, Repository: g.Repository, Permission: g.Permission}
		if f.granted[key] {
			continue
		}
		f.granted[key] = true
		at := bitbucketd.Place{Project: g.Project, Repo: g.Repository}
		if err := server.Grant(c.ServiceUser, at, bitbucketd.Permission(g.Permission)); err != nil {
			return err
		}
	}
	return nil
}

// connect makes the connection's link, consumer, public key, client and token,
// and returns the record that goes with them.
func (f *filler) connect(c *schema.Connection) (record.Record, error) {
	server := f.servers[c.Bitbucket.URL]
	linkID, err := bitbucket.LinkID(c.Link.URL)
	if err != nil {
		return record.Record{}, err
	}
	key := keys.ConsumerKey()
	pair, err := randomPair("bbsync/" + f.fleet.Name + "/" + c.Organization)
	if err != nil {
		return record.Record{}, err
	}
	consumer := bitbucketd.Consumer{
		Key: key, Name: c.Consumer.Name, Description: plan.OwnerMark(f.fleet.Name), PublicKey: f.consumer.Public,
	}
	link := bitbucketd.Link{ID: linkID, Type: "generic", Name: c.Link.Name, DisplayURL: c.Link.URL, RPCURL: c.Link.URL, Consumer: key}
	if err := publish(server, c.ServiceUser, link, consumer, pair.Public); err != nil {
		return record.Record{}, err
	}
	clientID, tokenID, err := f.world.Terraform.AddConnected(terraformd.Connected{
		Organization: c.Organization, Provider: plan.ServiceProvider(c, server.Version()), Name: c.Name,
		HTTPURL: c.Bitbucket.URL, APIURL: plan.APIURL(c.Bitbucket.URL), Key: key, Secret: f.consumer.Private,
		RSAPublicKey: f.consumer.Public, User: c.ServiceUser, SSHKey: f.ssh.Private,
	})
	return f.record(c, ids{link: linkID, client: clientID, token: tokenID, consumer: key}, pair), err
}

type ids struct{ link, client, token, consumer string }

func (f *filler) record(c *schema.Connection, id ids, pair keys.Pair) record.Record {
	return record.Record{
		Generation: rand.Text(), Fleet: f.fleet.Name, Address: c.Address, Terraform: c.Terraform.Address,
		Organization: c.Organization, Bitbucket: c.Bitbucket.URL, ServiceUser: c.ServiceUser,
		Consumer: &record.Consumer{
			Key: id.consumer, Private: f.consumer.Private, Public: f.consumer.Public, Fingerprint: f.consumer.Fingerprint, Created: f.now,
		},
		SSH: record.SSHKeys{Current: &record.SSHKey{
			Private: pair.Private, Public: pair.Public, Fingerprint: pair.Fingerprint, Created: f.now, Published: f.now, Token: id.token, Set: f.now,
		}},
		Link:   &record.Link{ID: id.link, URL: c.Link.URL, Made: f.now},
		Client: &record.OAuthClient{ID: id.client, Made: f.now},
	}
}

// publish appends to Bitbucket's state without the searches that its own
// set-up makes, which cost a pass over everything for each link.
func publish(server *bitbucketd.Server, user string, link bitbucketd.Link, consumer bitbucketd.Consumer, line string) error {
	key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return err
	}
	return server.Change("connecting "+link.Name, func(st *bitbucketd.State) error {
		st.LastID++
		st.Links = append(st.Links, &link)
		st.Consumers[consumer.Key] = &consumer
		st.SSHKeys = append(st.SSHKeys, &bitbucketd.SSHKey{
			ID: st.LastID, User: user, Text: line, Label: comment, Blob: key.Marshal(), Algorithm: "RSA", Bits: keys.DefaultRSABits,
			Created: time.Now().UnixMilli(),
		})
		return nil
	})
}

// randomPair returns an SSH pair that no one can log in with: random odd numbers
// of the right lengths in the form of an RSA key take microseconds, where a real
// one takes the time of finding two primes. Who reads the record takes the public
// half out of it and does not try the rest.
func randomPair(comment string) (keys.Pair, error) {
	const half = keys.DefaultRSABits / 2
	body, err := asn1.Marshal(struct {
		Version          int
		N                *big.Int
		E                int
		D, P, Q, X, Y, Z *big.Int
	}{N: odd(2 * half), E: 65537, D: odd(2 * half), P: odd(half), Q: odd(half), X: odd(half), Y: odd(half), Z: odd(half)})
	if err != nil {
		return keys.Pair{}, fmt.Errorf("encoding random numbers as a private key: %w", err)
	}
	pair, err := keys.DeriveSSH(secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: body}))))
	pair.Public += " " + comment
	return pair, err
}

// odd returns a random odd number of exactly so many bits.
func odd(bits int) *big.Int {
	text := make([]byte, bits/8)
	_, _ = rand.Read(text)
	text[0] |= 0x80
	text[len(text)-1] |= 1
	return new(big.Int).SetBytes(text)
}
