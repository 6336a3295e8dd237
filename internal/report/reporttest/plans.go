// Package reporttest has plans of every kind, and golden files, for the tests of what
// presents them.
package reporttest

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/expiry"
	"github.com/bbsync/bbsync/internal/plan"
)

// at is a place in the files.
func at(line int) hcl.Range {
	return hcl.Range{Filename: "fleet/main.hcl", Start: hcl.Pos{Line: line}, End: hcl.Pos{Line: line}}
}

// Connection is one of a fleet, without anything to do.
func Connection(organization string) plan.Connection {
	return plan.Connection{
		At: at(28),
		Target: plan.Target{
			Address: fmt.Sprintf("connection.team[%q]", organization), Fleet: "corp", Terraform: "hcp", Organization: organization,
			Bitbucket: "new", BitbucketURL: "https://bitbucket.example.com", LinkURL: "https://app.terraform.io/app/" + organization,
			ServiceUser: "svc-terraform", Client: "Bitbucket", Record: "corp/app.terraform.io/" + organization + "/bitbucket.example.com",
		},
	}
}

// Fresh is a connection of which nothing is there yet.
func Fresh(organization string) plan.Connection {
	c := Connection(organization)
	reason := func(kind, what, live, want string, line int) []plan.Reason {
		return []plan.Reason{{Kind: kind, What: what, Live: live, Want: want, At: at(line)}}
	}
	name := "Terraform Cloud (" + organization + ")"
	c.Changes = []plan.Change{
		{Step: plan.CreateConsumerKey{Bits: 3072}, Because: reason("record_consumer_key", "consumer key in Vault", "", "one", 28)},
		{Step: plan.CreateLink{URL: c.LinkURL, Name: name}, Because: reason("link", "application link on "+c.LinkURL, "", name, 28)},
		{Step: plan.ProveConsumer{}},
		{Step: plan.Authorize{Client: "Bitbucket", User: "svc-terraform"}, Because: reason("token", "OAuth token", "", "one of svc-terraform", 33)},
		{Step: plan.SetTokenKey{Role: plan.Current}, Because: reason("token_ssh_key", "private SSH key on the token", "no token yet", "the record's current key", 28)},
	}
	return c
}

// Renamed is a connection whose client somebody renamed.
func Renamed(organization, name string) plan.Connection {
	c := Connection(organization)
	want := "Bitbucket"
	c.Changes = []plan.Change{{
		Step:    plan.UpdateClient{ID: "oc-" + organization + "12345678", Name: &want},
		Because: []plan.Reason{{Kind: "client_name", What: "OAuth client's name", Live: name, Want: want, At: at(34)}},
	}}
	return c
}

// Waiting is a connection that a person must authorize.
func Waiting(organization string) plan.Connection {
	c := Connection(organization)
	c.Changes = []plan.Change{{
		Step:    plan.Authorize{Client: "Bitbucket", User: "svc-terraform"},
		Because: []plan.Reason{{Kind: "token", What: "OAuth token", Want: "one of svc-terraform", At: at(33)}},
	}}
	return c
}

// Unreadable is a connection of which a system did not answer.
func Unreadable(organization, text string) plan.Connection {
	c := Connection(organization)
	c.Blocks = []plan.Block{{Kind: plan.Unreadable, Text: text, At: at(28)}}
	return c
}

// Mixed is a fleet with something of everything.
func Mixed() plan.Plan {
	p := plan.Plan{Fleet: "corp", Bitbuckets: []plan.BitbucketPlan{{
		Label: "new", URL: "https://bitbucket.example.com",
		Changes: []plan.SharedChange{{
			Step:    plan.GrantPermission{User: "svc-terraform", Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"},
			Because: []plan.Reason{{Kind: "permission", What: "effective permission of svc-terraform", Live: "not REPO_ADMIN", Want: "REPO_ADMIN", At: at(35)}},
		}},
		Notes: []plan.Note{{Warning: true, Text: "Bitbucket 7.21.0 works, but it is old", At: at(14)}},
	}}}
	for i := range 40 {
		name := fmt.Sprintf("acme-%02d", i+1)
		switch {
		case i%10 == 3:
			p.Connections = append(p.Connections, Renamed(name, fmt.Sprintf("Hand-made %c", 'A'+i/20)))
		case i%10 == 5:
			p.Connections = append(p.Connections, Waiting(name))
		case i == 7 || i == 8:
			p.Connections = append(p.Connections, Unreadable(name, "terraform: reading organization "+name+": 404 Not Found (request 9f8e7d6c-0000-4000-8000-00000000000"+fmt.Sprint(i)+")"))
		case i%2 == 0:
			p.Connections = append(p.Connections, Fresh(name))
		default:
			p.Connections = append(p.Connections, Connection(name))
		}
	}
	p.Connections[9].Notes = []plan.Note{{Text: "OAuth client oc-1234567890 is of service provider bitbucket_server", At: at(32)}}
	return ending(p, "CN=bitbucket.example.com")
}

// ending gives a plan a certificate that ends soon, and a license that ends later.
func ending(p plan.Plan, subject string) plan.Plan {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p.Ends = []expiry.End{
		expiry.OfCertificate("bitbucket.new", subject, now.AddDate(-1, 0, 0), now.AddDate(0, 0, 10), false),
		expiry.OfLicense("bitbucket.new", now.AddDate(0, -1, 0), now.AddDate(0, 11, 0), time.Time{}),
		expiry.CannotKnow(expiry.APIToken, "terraform.hcp", "env:TOKEN", "this release of Terraform does not tell which token is used"),
	}
	p.Warnings = expiry.Warnings(p.Ends, now)
	return p
}

// Hostile is a fleet whose other side says what it should not.
func Hostile() plan.Plan {
	const text = "``` </details><script>alert(1)</script> @everyone | \x1b[31m\n::error::gotcha\n# not a title `x` & ]]>"
	c := Renamed("a", text)
	d := Unreadable(`b"]<img src=x onerror=alert(1)>`, text)
	d.Blocks[0].Remedy = text
	return ending(plan.Plan{Fleet: "<b>&", Connections: []plan.Connection{c, d}}, text)
}

// Wide is a fleet of n connections with different errors, and one that waits.
func Wide(n int) plan.Plan {
	var p plan.Plan
	for i := range n {
		p.Connections = append(p.Connections, Unreadable(fmt.Sprint("acme-", i), "terraform: "+strings.Repeat(string(rune('a'+i%26)), 20+i/26)+": refused"))
	}
	p.Connections = append(p.Connections, Waiting("last"))
	return p
}
