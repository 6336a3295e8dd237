package plan_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// recorded is inSync with what a record says of its connection.
func recorded() plan.Have {
	have := inSync()
	want := aConnection()
	have.Record.LinkURL = linkURL
	have.Record.About = plan.About{
		Terraform: want.Terraform.Address, Organization: want.Organization, Bitbucket: want.Bitbucket.URL, ServiceUser: user,
	}
	return have
}

// TestRecordOfAnother: what a line of the files turns a record into is refused
// where the connection that it is of would be left behind.
func TestRecordOfAnother(t *testing.T) {
	elsewhere := func(h *plan.Have) { h.Link, h.Consumer, h.Keys = nil, nil, nil }
	old := func(key string) func(*plan.Have) {
		return func(h *plan.Have) {
			h.Old = &plan.OtherLink{Link: plan.Link{ID: "link-1", Name: name, URL: linkURL, Type: "generic"}, ConsumerKey: key}
			elsewhere(h)
		}
	}
	link := func(c *schema.Connection) { c.Link.URL = "https://elsewhere.example" }
	runDiff(t, recorded, []diffCase{
		{name: "its own", state: plan.StateInSync},
		{
			name:  "another organization",
			want:  func(c *schema.Connection) { c.Organization = "other" },
			have:  func(h *plan.Have) { h.Clients = nil; elsewhere(h) },
			block: "the record corp/app.terraform.io/acme/bitbucket.example-git is that of organization acme on https://app.terraform.io, whose OAuth client oc-1 is not in other",
		},
		{
			name:  "the organization was renamed",
			want:  func(c *schema.Connection) { c.Organization = "ACME-new" },
			state: plan.StateInSync,
		},
		{
			name:   "another Terraform",
			want:   func(c *schema.Connection) { c.Terraform.Address = "https://tfe.example" },
			have:   func(h *plan.Have) { h.Clients = nil },
			block:  "whose OAuth client oc-1 is not in acme on https://tfe.example",
			remedy: "give it a record of its own",
		},
		{
			name:   "another Bitbucket",
			want:   func(c *schema.Connection) { c.Bitbucket.URL = "https://other.example" },
			have:   elsewhere,
			block:  "is that of the connection to https://bitbucket.example/git, whose OAuth client cannot be given another URL, and https://other.example has no link with its consumer key",
			remedy: "a move needs a record of its own",
		},
		{
			name:  "the same Bitbucket by another URL",
			want:  func(c *schema.Connection) { c.Bitbucket.URL = "https://other.example" },
			notes: []string{"has API URL", "has HTTP URL"},
			state: plan.StateInSync,
		},
		{
			name:   "another URL for the link",
			want:   link,
			have:   old("bbsync-1"),
			block:  "application link is on " + linkURL + ", and the files ask for https://elsewhere.example: Bitbucket cannot move a link",
			remedy: `application_link { url = "` + linkURL + `" }`,
		},
		{
			name:  "another URL for a link half made",
			want:  link,
			have:  old(""),
			block: "Bitbucket cannot move a link",
		},
	})
	have := recorded()
	old("theirs")(&have)
	want := aConnection()
	link(want)
	if got := plan.Diff(fleet, want, have, noon); len(got.Blocks) > 0 || len(got.Changes) == 0 {
		t.Errorf("the old link is somebody else's by now: %v", got.Blocks)
	}
}

// TestRemovalOfAnother: a connection is removed where its record says that it is.
func TestRemovalOfAnother(t *testing.T) {
	leaving, have := leaver()
	have.Record.LinkURL, have.Record.About.Organization = linkURL, "acme"
	leaving.Want.Link.URL = "https://elsewhere.example"
	have.Old, have.Link, have.Consumer = &plan.OtherLink{Link: *have.Link, ConsumerKey: "bbsync-1"}, nil, nil
	steps, blocks, _ := removalSteps(t, plan.Removals{Max: 5}, leaving, have)
	if len(steps) != 4 || steps[1] != "DeleteLink" || blocks != "" {
		t.Errorf("the link is elsewhere: %v %s", steps, blocks)
	}
	leaving.Want.Organization, have.Clients = "other", nil
	if steps, blocks, _ := removalSteps(t, plan.Removals{Max: 5}, leaving, have); len(steps) > 0 || blocks == "" {
		t.Errorf("the organization is another: %v", steps)
	}
}
