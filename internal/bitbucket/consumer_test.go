package bitbucket

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

func TestLinkAndConsumer(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.client
		id, err := LinkID(orgURL)
		must(t, err)
		if _, err := c.Consumer(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("consumer of no link: %v", err)
		}
		link, err := c.CreateLink(ctx, "Terraform Cloud (my-org)", orgURL)
		must(t, err)
		if link.ID != id || link.URL != orgURL || !link.Generic() || link.Name != "Terraform Cloud (my-org)" {
			t.Errorf("created %+v", link)
		}
		if have, err := c.CreateLink(ctx, "another", orgURL); !errors.Is(err, ErrExists) || have != link {
			t.Errorf("created twice: %+v, %v", have, err)
		}
		second, err := c.CreateLink(ctx, link.Name, "https://app.terraform.io")
		must(t, err)
		if second.Name != link.Name+" - 2" {
			t.Errorf("the second of a name is %q", second.Name)
		}
		if err := c.RenameLink(ctx, second, link.Name); !errors.Is(err, ErrExists) {
			t.Errorf("renamed to a name that is taken: %v", err)
		}
		must(t, c.RenameLink(ctx, second, "main"))
		if _, err := c.Consumer(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("no consumer yet: %v", err)
		}
		proveConsumer(t, c, id)
		links, err := c.Links(ctx)
		if err != nil || len(links) != 2 || !slices.ContainsFunc(links, func(l Link) bool { return l.Name == "main" }) {
			t.Errorf("%+v, %v", links, err)
		}
		for range 2 {
			must(t, c.DeleteLink(ctx, id))
		}
		if _, err := c.Consumer(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("the consumer outlives its link: %v", err)
		}
		if err := c.RenameLink(ctx, link, "x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("renamed what is gone: %v", err)
		}
	})
}

func proveConsumer(t *testing.T, c *Client, id string) {
	t.Helper()
	ctx, pair, other := t.Context(), consumerPair(t), consumerPair(t)
	want := Consumer{Key: keys.ConsumerKey(), Name: "Terraform Cloud (my-org)", PublicKey: pair.Public}
	if err := c.ProveConsumer(ctx, want.Key, pair.Private); problem(err) != "consumer_key_unknown" || !errors.Is(err, ErrNotFound) {
		t.Errorf("before there is a consumer: %v", err)
	}
	must(t, c.SetConsumer(ctx, id, want))
	have, err := c.Consumer(ctx, id)
	must(t, err)
	if mark, err := keys.PublicFingerprint(have.PublicKey); err != nil || mark != pair.Fingerprint || have.Key != want.Key || have.Name != want.Name {
		t.Errorf("consumer %+v, %v", have, err)
	}
	must(t, c.ProveConsumer(ctx, want.Key, pair.Private))
	if err := c.ProveConsumer(ctx, want.Key, other.Private); problem(err) != "signature_invalid" {
		t.Errorf("with another key: %v", err)
	}
	want.PublicKey = other.Public
	must(t, c.SetConsumer(ctx, id, want))
	must(t, c.ProveConsumer(ctx, want.Key, other.Private))
	want.PublicKey = "no key"
	if err := c.SetConsumer(ctx, id, want); status(err) != 400 {
		t.Errorf("set something that is no key: %v", err)
	}
}

func problem(err error) string {
	if p, ok := errors.AsType[*OAuthProblem](err); ok {
		return p.Problem
	}
	return fmt.Sprint(err)
}

func TestClockSkewIsNamed(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{Now: func() time.Time { return time.Now().Add(10 * time.Minute) }})
	ctx := t.Context()
	link, err := w.client.CreateLink(ctx, "tf", orgURL)
	must(t, err)
	pair := consumerPair(t)
	must(t, w.client.SetConsumer(ctx, link.ID, Consumer{Key: "k", Name: "n", PublicKey: pair.Public}))
	if err := w.client.ProveConsumer(ctx, "k", pair.Private); problem(err) != "timestamp_refused" {
		t.Errorf("ten minutes off: %v", err)
	}
}

// OAuth 2.0 entries are generic, too, and look like links to the host of their redirect:
// their id tells, or that it is not derived from the address.
func TestOAuth2LinksAreToldApart(t *testing.T) {
	for name, entry := range map[string]bitbucketd.Link{
		"another type":           {ID: "42", Type: "oauth2-client", RPCURL: orgURL},
		"an id that is no UUID":  {ID: "42", Type: "generic", RPCURL: "https://app.terraform.io"},
		"a UUID that is not its": {ID: "227dd1d7-f6d6-34a5-b046-5663fb518691", Type: "generic", RPCURL: "https://app.terraform.io"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, bitbucketd.Options{})
			entry.Name, entry.OAuth2 = "External", true
			_, err := w.AddLink(entry)
			must(t, err)
			links, err := w.client.Links(t.Context())
			if err != nil || len(links) != 1 || links[0].Generic() || !links[0].OAuth2() {
				t.Errorf("%+v, %v", links, err)
			}
			if _, err := w.client.CreateLink(t.Context(), "tf", entry.RPCURL); err != nil {
				t.Errorf("an OAuth 2.0 client is in the way: %v", err)
			}
		})
	}
	if !(Link{ID: "227dd1d7-f6d6-34a5-b046-5663fb518691", Type: "generic", URL: "https://app.terraform.io", ConsumerKey: "k"}).Generic() {
		t.Error("a link with a consumer of OAuth 1.0a is taken for an OAuth 2.0 client")
	}
}

// One request tells the consumer keys of all links, where the server shows them: a list
// that shows none says nothing.
func TestListedConsumerKeys(t *testing.T) {
	for name, test := range map[string]struct {
		opts   bitbucketd.Options
		listed bool
	}{
		"5.3.1": {bitbucketd.Options{Version: "5.3.1"}, true}, "9.4.0": {bitbucketd.Options{}, true}, "10.4.2": {bitbucketd.Options{Version: "10.4.2"}, true},
		"not shown": {bitbucketd.Options{NoLinkProperties: true}, false}, "old application links": {bitbucketd.Options{Version: "5.3.1", OldApplinks: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, ctx := newWorld(t, test.opts), t.Context()
			_, err := w.client.CreateLink(ctx, "empty", orgURL+"-empty")
			must(t, err)
			if links, err := w.client.Links(ctx); err != nil || links[0].KeyListed {
				t.Errorf("a list without any consumer: %+v, %v", links, err)
			}
			link, err := w.client.CreateLink(ctx, "tf", orgURL)
			must(t, err)
			must(t, w.client.SetConsumer(ctx, link.ID, Consumer{Key: "k", Name: "n", PublicKey: consumerPair(t).Public}))
			links, err := w.client.Links(ctx)
			must(t, err)
			for _, l := range links {
				if l.KeyListed != test.listed || l.ConsumerKey != "" != (test.listed && l.ID == link.ID) {
					t.Errorf("%+v", l)
				}
			}
		})
	}
}
