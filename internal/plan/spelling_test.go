package plan_test

import (
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// TestAnotherSpelling changes how the configuration spells what the systems
// compare without case, or otherwise: the connection is the same one.
func TestAnotherSpelling(t *testing.T) {
	spelled := func() plan.Have {
		have := recorded()
		have.Clients[0].Organization = "acme"
		return have
	}
	const note = `Terraform spells the organization "acme"; the configuration says "ACME"`
	runDiff(t, spelled, []diffCase{
		{name: "as Terraform spells it", state: plan.StateInSync},
		{name: "the organization", want: func(c *schema.Connection) { c.Organization = "ACME" }, notes: []string{note}, state: plan.StateInSync},
		{name: "the service user", want: func(c *schema.Connection) { c.ServiceUser = strings.ToUpper(c.ServiceUser) }, state: plan.StateInSync},
		{
			name:  "the link",
			want:  func(c *schema.Connection) { c.Link.URL = strings.ToUpper(c.Link.URL[:12]) + c.Link.URL[12:] + "/" },
			state: plan.StateInSync,
		},
		{
			name:  "the Bitbucket",
			want:  func(c *schema.Connection) { c.Bitbucket.URL = "https://BITBUCKET.example:443/git/" },
			state: plan.StateInSync,
		},
		{
			name:  "the client's URLs",
			have:  func(h *plan.Have) { h.Clients[0].HTTPURL = "https://bitbucket.EXAMPLE:443/git/" },
			state: plan.StateInSync,
		},
	})
}

// TestLinkInAnotherSpelling carries out what it plans on the link that is there:
// its id comes from the spelling that Bitbucket has.
func TestLinkInAnotherSpelling(t *testing.T) {
	want, have := aConnection(), recorded()
	have.Link.URL = "https://app.terraform.io/app/ACME"
	want.Consumer.Name = "renamed"
	c := plan.Diff(fleet, want, have, noon)
	if len(c.Changes) == 0 || c.LinkURL != have.Link.URL {
		t.Fatalf("%v on %s", c.Changes, c.LinkURL)
	}
	if step, ok := c.Changes[0].Step.(plan.SetConsumer); !ok || step.LinkURL != have.Link.URL {
		t.Errorf("%v", c.Changes[0])
	}
}

// TestRemovalOfAnotherSpelling keeps what a connection of the configuration takes
// for its own: a record at a path with another spelling of the organization's name
// is no orphan to be removed.
func TestRemovalOfAnotherSpelling(t *testing.T) {
	for name, change := range map[string]func(stays *schema.Connection, have *plan.Have){
		"the link":   func(c *schema.Connection, _ *plan.Have) { c.Link.URL = "https://APP.terraform.io/app/ACME/" },
		"the client": func(c *schema.Connection, h *plan.Have) { c.Link.URL = "https://elsewhere.example"; h.Link = nil },
	} {
		leaving, have := leaver()
		stays := aConnection()
		stays.Address, stays.Record, stays.Organization = `connection.team["ACME"]`, "corp/app.terraform.io/ACME/bitbucket.example-git", "ACME"
		stayHave := inSync()
		stayHave.Record = nil
		change(stays, &stayHave)
		r := plan.Removals{Max: 5, Stay: []*schema.Connection{stays}, StayHave: []plan.Have{stayHave}}
		steps, blocks, _ := removalSteps(t, r, leaving, have)
		if len(steps) > 0 || !strings.Contains(blocks, "is described on the same") {
			t.Errorf("%s: %v %s", name, steps, blocks)
		}
	}
}
