package plan

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// A HandMade is a connection that a person made with the main URL, as the
// vendor's procedure has it for the first organization, where the files want the
// organization's URL.
type HandMade struct {
	Link        Link
	ConsumerKey string
	Client      Client
}

// FindHandMade returns the connection made by hand on the main URL, nil for none:
// its link's consumer key is that of an OAuth client of this organization on the
// same Bitbucket, and not ours.
func FindHandMade(want *schema.Connection, have Have) *HandMade {
	m := have.Main
	if m == nil || m.ConsumerKey == "" {
		return nil
	}
	w := World{Have: have}
	for i := range have.Clients {
		c := &have.Clients[i]
		if c.Key == m.ConsumerKey && names.SameURL(c.HTTPURL, want.Bitbucket.URL) && !w.owns(c) {
			return &HandMade{Link: m.Link, ConsumerKey: m.ConsumerKey, Client: *c}
		}
	}
	return nil
}

// handMade keeps an organization from two links by mistake. It reports whether
// the plan may go on: not with the very client that a link on the main URL
// serves, since two links cannot share one consumer key.
func (g *guard) handMade() bool {
	h := FindHandMade(g.want, g.Have)
	if h == nil {
		return true
	}
	text := fmt.Sprintf("organization %s is linked by hand on the main URL: application link %q on %s has the consumer key of its OAuth client %q (%s)",
		g.want.Organization, h.Link.Name, h.Link.URL, h.Client.Name, h.Client.ID)
	remedy := "to take that connection over, write application_link { url = \"main\" } and run with --adopt '" + g.want.Address + "'"
	client := g.client()
	if client != nil && client.ID == h.Client.ID {
		g.block(Refused, g.want.Where("application_link.url"), text, remedy+"; to make a second connection beside it, give this one another name")
		return false
	}
	if client == nil {
		g.warn(g.want.Where("application_link.url"), "%s; this plan makes a second connection beside it (%s)", text, remedy)
	}
	return true
}
