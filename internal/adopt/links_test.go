package adopt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/schema"
)

// Of a Bitbucket with many links to other systems, the consumers that no client can use
// are not read; where the list does not show their keys, all are. A link that bbsync logs
// in with, and an OAuth 2.0 entry, are no connections of anybody's.
func TestConsumersOfOthersAreNotRead(t *testing.T) {
	const others = 20
	for name, test := range map[string]struct {
		opts bitbucketd.Options
		read int
	}{"listed": {bitbucketd.Options{}, 0}, "not listed": {bitbucketd.Options{NoLinkProperties: true}, others}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, sys := manyLinks(t, test.opts, others)
			w.Fronts["bitbucket-9.4.0"].ResetCounts()
			found, err := Read(t.Context(), sys, nil, sys.Fleet().Bitbuckets)
			if err != nil || len(found.Links) != others {
				t.Fatalf("%d links, %v", len(found.Links), err)
			}
			for _, l := range found.Links {
				if l.Consumer == nil || l.Consumer.Key == "" {
					t.Errorf("%s has no consumer", l)
				}
			}
			read := 0
			for route, n := range w.Fronts["bitbucket-9.4.0"].Counts().Routes {
				if strings.HasSuffix(route, "/consumer") {
					read += n
				}
			}
			if read != test.read {
				t.Errorf("%d consumers were read, want %d", read, test.read)
			}
		})
	}
}

func manyLinks(t *testing.T, opts bitbucketd.Options, n int) (*sandbox.World, *systems.Systems) {
	t.Helper()
	w, err := sandbox.Start(t.Context(), sandbox.Options{Orgs: 1, Bitbuckets: []string{"9.4.0"}, Bitbucket: opts})
	must(t, err)
	t.Cleanup(func() { must(t, w.Close()) })
	server := w.Bitbuckets[0]
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	must(t, err)
	for i := range n + 1 {
		address := fmt.Sprintf("https://other-%d.example.com", i)
		if i == n {
			address = "https://bbsync.invalid/test"
		}
		id, err := server.AddLink(bitbucketd.Link{RPCURL: address, Name: address})
		must(t, err)
		must(t, server.SetConsumer(id, bitbucketd.Consumer{Key: fmt.Sprint("key-", i), PublicKey: pair.Public}))
	}
	_, err = server.AddLink(bitbucketd.Link{ID: "227dd1d7-f6d6-34a5-b046-5663fb518691", OAuth2: true, Name: "External", RPCURL: w.Facts.Terraform.Address})
	must(t, err)
	fleet := &schema.Fleet{
		Name: "test", Vault: schema.Vault{Address: w.Facts.Vault.Address, Mount: "secret", Path: "bbsync"},
		Bitbuckets: []*schema.Bitbucket{{
			Label: "corp", URL: server.BaseURL(), CAFile: w.Facts.CAFile,
			Admin: schema.Admin{Username: "admin", Password: &schema.SecretRef{Env: "PASSWORD"}},
		}},
	}
	secrets := map[string]string{"PASSWORD": w.Facts.People.Admin, "VAULT_TOKEN": w.Facts.Vault.Token}
	sys := systems.New(fleet, systems.Env{Getenv: func(name string) string { return secrets[name] }})
	must(t, sys.Login(t.Context()))
	t.Cleanup(sys.Close)
	return w, sys
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
