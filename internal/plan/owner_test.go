package plan_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

func adopt(c *schema.Connection) { c.Adopt = true }

// noRecord is a connection whose record Vault lost, with all else in place.
func noRecord() plan.Have {
	have := inSync()
	have.Record = nil
	return have
}

func TestRecordMissing(t *testing.T) {
	takenOver := []plan.Step{
		plan.CreateConsumerKey{Key: "bbsync-1", Bits: 3072, Client: "oc-1"},
		plan.CreateSSHKey{Role: plan.Current, Bits: 3072, Comment: label},
		plan.SetConsumer{LinkURL: linkURL, Name: name},
		plan.ProveConsumer{},
		plan.UpdateClient{ID: "oc-1", Keys: true},
		plan.AddSSHKey{Role: plan.Current, Label: label},
		proveSSH,
		plan.SetTokenKey{Role: plan.Current},
		proveRepos,
	}
	doubt := []string{"the OAuth token may not outlive this change"}
	runDiff(t, noRecord, []diffCase{{
		name:   "refused, and says what is lost",
		block:  "was made by this fleet, but its record is missing in Vault (corp/app.terraform.io/acme/bitbucket.example-git); the keys it uses cannot be read back",
		remedy: "restore the record from Vault's older versions or a backup; or run with --adopt 'connection.team[\"acme\"]'",
		state:  plan.StateRefused,
	}, {
		name:  "adopted: new pairs in place, the consumer key stays",
		want:  adopt,
		steps: takenOver,
		reasons: []string{
			"consumer key in Vault: none -> one, before any system learns it",
			"SSH key in Vault: none -> one, before any system learns it",
			"consumer's public key: rsa-1 -> a new one",
			"OAuth client's public key: rsa-1 -> a new one",
			"SSH key of svc-terraform: none -> the record's",
			"private SSH key on the token: unknown -> the record's current key",
		},
		notes: doubt,
	}, {
		name:  "adopted: its newest version was deleted",
		want:  adopt,
		have:  func(h *plan.Have) { h.Record = &plan.Record{Version: 4} },
		steps: takenOver,
		notes: doubt,
	}, {
		name:  "refused: its newest version was deleted",
		have:  func(h *plan.Have) { h.Record = &plan.Record{Version: 4} },
		block: "was made by this fleet, but its record is missing",
	}, {
		name:  "adopted, nobody has authorized",
		want:  adopt,
		have:  func(h *plan.Have) { h.Clients[0].Token = nil },
		steps: append(append([]plan.Step{}, takenOver[:7]...), authorize, plan.SetTokenKey{Role: plan.Current}, proveRepos),
	}, {
		name: "adopted with a consumer key the user brings: the link's own would stay alive beside it",
		want: func(c *schema.Connection) { adopt(c); c.Consumer.Key = "their-key" },
		steps: []plan.Step{
			plan.CreateConsumerKey{Key: "their-key", Bits: 3072, Client: "oc-1"},
			plan.CreateSSHKey{Role: plan.Current, Bits: 3072, Comment: label},
			plan.DeleteLink{URL: linkURL, Name: name, ConsumerKey: "bbsync-1"},
			plan.CreateLink{URL: linkURL, Name: name},
			plan.SetConsumer{LinkURL: linkURL, Name: name},
			plan.ProveConsumer{},
			plan.UpdateClient{ID: "oc-1", Keys: true},
			plan.AddSSHKey{Role: plan.Current, Label: label},
			proveSSH,
			plan.SetTokenKey{Role: plan.Current},
			proveRepos,
		},
		notes: doubt,
	}, {
		name:  "refused: its newest version was deleted, and Vault can bring it back",
		have:  func(h *plan.Have) { h.Record = &plan.Record{Version: 4, Deleted: "vault kv undelete brings it back"} },
		block: "is missing in Vault (corp/app.terraform.io/acme/bitbucket.example-git); vault kv undelete brings it back; otherwise the keys it uses cannot be read back",
	}, {
		name: "refused: only the client is there, under another name, with the consumer key the user brings",
		want: func(c *schema.Connection) { c.Consumer.Key = "bbsync-1" },
		have: func(h *plan.Have) { h.Link, h.Consumer, h.Clients[0].Name = nil, nil, "x" },

		block: `refused: OAuth client "x" (oc-1) of organization acme is there`,
	}, {
		name:   "refused: only the client is there",
		have:   func(h *plan.Have) { h.Link, h.Consumer = nil, nil },
		block:  `refused: OAuth client "Bitbucket (corp)" (oc-1) of organization acme is there, and Vault has no record of it`,
		remedy: "or set adopt = true",
	}, {
		name: "adopted: only the client is there",
		want: adopt,
		have: func(h *plan.Have) { h.Link, h.Consumer = nil, nil },
		steps: append([]plan.Step{
			plan.CreateConsumerKey{Key: "bbsync-1", Bits: 3072, Client: "oc-1"},
			takenOver[1],
			plan.CreateLink{URL: linkURL, Name: name},
		}, takenOver[2:]...),
		notes: doubt,
	}, {
		name:  "an empty link is somebody's while Vault knows of none",
		have:  func(h *plan.Have) { h.Record, h.Consumer, h.Clients = &plan.Record{Version: 4}, nil, nil },
		block: `refused: application link "Terraform Cloud (acme)" on ` + linkURL + " is there",
	}})
}

func TestSomebodyElses(t *testing.T) {
	their := &plan.Consumer{Key: "jenkins", Name: "Jenkins", Fingerprint: "rsa-j"}
	runDiff(t, inSync, []diffCase{{
		name:   "link on the wanted URL, where ours was",
		have:   func(h *plan.Have) { h.Consumer = their },
		block:  `refused: application link "Terraform Cloud (acme)" on ` + linkURL + ` with consumer key jenkins is there and is not this connection's`,
		remedy: "delete it; to take it over with new keys, run with --adopt",
	}, {
		name: "link of another fleet",
		have: func(h *plan.Have) {
			h.Consumer = &plan.Consumer{Key: "bbsync-9", Name: name, Description: plan.OwnerMark("corp-eu"), Fingerprint: "rsa-9"}
		},
		block: "with consumer key bbsync-9 is there and is not this connection's",
	}, {
		name: "link of another fleet, and no record",
		have: func(h *plan.Have) {
			h.Record, h.Clients = nil, nil
			h.Consumer = &plan.Consumer{Key: "bbsync-9", Name: name, Description: plan.OwnerMark("corp-eu"), Fingerprint: "rsa-9"}
		},
		block: "is there, and Vault has no record of it",
	}, {
		name: "link on the wanted URL, adopted",
		want: adopt,
		have: func(h *plan.Have) { h.Consumer = their },
		steps: []plan.Step{
			plan.DeleteLink{URL: linkURL, Name: name, ConsumerKey: "jenkins"},
			plan.CreateLink{URL: linkURL, Name: name},
			setConsumer,
			plan.ProveConsumer{},
			proveRepos,
		},
		notes: []string{"the OAuth token may not outlive this change"},
	}, {
		name:   "link of another type, which adopting cannot help",
		want:   adopt,
		have:   func(h *plan.Have) { h.Link.Type = "confluence" },
		block:  `is linked as "Terraform Cloud (acme)" (confluence), which is not an OAuth 1.0a link of the generic type`,
		remedy: "choose another url in application_link",
	}, {
		name:  "client with the wanted name",
		have:  func(h *plan.Have) { h.Clients[0].ID, h.Clients[0].Key = "oc-9", "theirs" },
		block: `OAuth client "Bitbucket (corp)" (oc-9) of organization acme is there and is not this connection's`,
	}, {
		name:  "client with the wanted name, adopted",
		want:  adopt,
		have:  func(h *plan.Have) { h.Clients[0].ID, h.Clients[0].Key = "oc-9", "theirs" },
		steps: []plan.Step{plan.ProveConsumer{}, plan.UpdateClient{ID: "oc-9", Keys: true}, proveRepos},
		notes: []string{"the OAuth token may not outlive this change"},
	}, {
		name: "client with the wanted name, of another Bitbucket",
		have: func(h *plan.Have) {
			other := h.Clients[0]
			other.ID, other.Key, other.HTTPURL = "oc-9", "theirs", "https://other.example"
			h.Clients = append(h.Clients, other)
		},
		state: plan.StateInSync,
	}})
}

// TestDuplicates has a second client with the connection's consumer key, as an
// answer that was lost leaves it.
func TestDuplicates(t *testing.T) {
	twin := func(id string, age time.Duration, token *plan.Token) func(*plan.Have) {
		return func(h *plan.Have) {
			second := h.Clients[0]
			second.ID, second.Created, second.Token = id, noon.Add(-age), token
			h.Clients = append([]plan.Client{second}, h.Clients...)
		}
	}
	deleted := func(id string) plan.DeleteClient {
		return plan.DeleteClient{ID: id, Name: "Bitbucket (corp)", Why: "a second client with the same consumer key, which nobody has authorized"}
	}
	untouched := func(f func(*plan.Have)) func(*plan.Have) {
		return func(h *plan.Have) { h.Clients[0].Token = nil; f(h) }
	}
	runDiff(t, inSync, []diffCase{{
		name:    "not authorized, younger: it goes",
		have:    twin("oc-2", -time.Hour, nil),
		steps:   []plan.Step{deleted("oc-2")},
		reasons: []string{"OAuth clients with this consumer key: oc-2 and oc-1 -> oc-1"},
	}, {
		name:  "not authorized, older: it goes",
		have:  twin("oc-2", time.Hour, nil),
		steps: []plan.Step{deleted("oc-2")},
	}, {
		name:  "authorized, ours not: ours goes",
		have:  untouched(twin("oc-2", -time.Hour, &plan.Token{ID: "ot-2", User: user})),
		steps: []plan.Step{deleted("oc-1"), proveSSH, setKey, proveRepos},
	}, {
		name:  "both authorized: the one that the record names is ours",
		have:  twin("oc-2", time.Hour, &plan.Token{ID: "ot-2", User: user}),
		notes: []string{"OAuth client oc-2 has this connection's consumer key and a token of its own, beside oc-1"},
		state: plan.StateInSync,
	}, {
		name:  "none authorized: the one that the record names stays",
		have:  untouched(twin("oc-2", time.Hour, nil)),
		steps: []plan.Step{deleted("oc-2"), authorize, proveSSH, setKey, proveRepos},
		state: plan.StateChanges,
	}, {
		name:  "none authorized nor named: the older stays",
		have:  untouched(func(h *plan.Have) { h.Record.ClientID = ""; twin("oc-2", time.Hour, nil)(h) }),
		steps: []plan.Step{deleted("oc-1"), authorize, proveSSH, setKey, proveRepos},
	}, {
		name:  "not authorized, with a pair of its own: people made it, and it stays",
		have:  func(h *plan.Have) { twin("oc-2", time.Hour, nil)(h); h.Clients[0].Fingerprint = "SHA256:theirs" },
		notes: []string{"OAuth client oc-2 has this connection's consumer key, beside oc-1, and bbsync did not make it"},
		state: plan.StateInSync,
	}, {
		name: "not authorized, where both were made by hand and imported: it stays",
		have: func(h *plan.Have) { h.Record.Consumer.PrivateElsewhere = true; twin("oc-2", time.Hour, nil)(h) },
		notes: []string{
			"OAuth client oc-2 has this connection's consumer key, beside oc-1, and bbsync did not make it",
			"only Terraform holds the private half of the consumer's pair",
		},
		state: plan.StateInSync,
	}, {
		name:  "two of them",
		have:  func(h *plan.Have) { twin("oc-2", time.Hour, nil)(h); twin("oc-3", -time.Hour, nil)(h) },
		steps: []plan.Step{deleted("oc-3"), deleted("oc-2")},
	}})
}

// TestCandidates has several clients that could be taken over.
func TestCandidates(t *testing.T) {
	client := func(id, key, title string, token *plan.Token) plan.Client {
		c := inSync().Clients[0]
		c.ID, c.Key, c.Name, c.Token = id, key, title, token
		return c
	}
	token := &plan.Token{ID: "ot-9", User: user}
	for _, c := range []struct {
		name    string
		clients []plan.Client
		takes   string
	}{
		{"the link's consumer key says more than the name", []plan.Client{client("oc-7", "x", "Bitbucket (corp)", token), client("oc-8", "bbsync-1", "x", nil)}, "oc-8"},
		{"a token says more than none", []plan.Client{client("oc-7", "x", "Bitbucket (corp)", nil), client("oc-8", "y", "Bitbucket (corp)", token)}, "oc-8"},
		{"the first of equals", []plan.Client{client("oc-7", "x", "Bitbucket (corp)", token), client("oc-8", "y", "Bitbucket (corp)", token)}, "oc-7"},
		{"neither key nor name", []plan.Client{client("oc-7", "x", "x", token)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, have := aConnection(), noRecord()
			want.Adopt, have.Clients = true, c.clients
			takes := ""
			for _, s := range plan.Diff(fleet, want, have, noon).Steps() {
				if update, ok := s.(plan.UpdateClient); ok {
					takes = update.ID
				}
			}
			if takes != c.takes {
				t.Errorf("takes over %q, want %q", takes, c.takes)
			}
		})
	}
}
