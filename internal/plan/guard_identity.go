package plan

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/names"
)

// sameConnection reports whether the record is that of the connection which the
// files describe, and its link where they have it.
func (g *guard) sameConnection() bool { return g.sameSystems() && g.sameLink() }

// sameSystems reports whether the record is of this organization and Bitbucket. A
// path in Vault may be written by hand, and what it is a record of may change in
// the files: carried out as a repair, that would leave what the record alone knows
// of behind in the other place, with keys that it shares and that rotate here only.
func (g *guard) sameSystems() bool {
	r := g.Record
	if r == nil || r.Consumer == nil {
		return true
	}
	about := r.About
	switch {
	case r.ClientID != "" && about.Organization != "" && g.otherOrganization(about) && !g.hasOwnClient():
		g.block(Refused, g.want.Where("organization"),
			fmt.Sprintf("the record %s is that of organization %s on %s, whose OAuth client %s is not in %s on %s",
				g.want.Record, about.Organization, about.Terraform, r.ClientID, g.want.Organization, g.want.Terraform.Address),
			"an organization that was renamed keeps its OAuth client; another one is another connection: give it a record of its own, "+
				"and have the old connection removed with bbsync apply --prune")
	case r.LinkURL != "" && about.Bitbucket != "" && !names.SameURL(about.Bitbucket, g.want.Bitbucket.URL) && !g.ownKeyInLink():
		g.block(Refused, g.want.Where("record"),
			fmt.Sprintf("the record %s is that of the connection to %s, whose OAuth client cannot be given another URL, and %s has no link with its consumer key",
				g.want.Record, about.Bitbucket, g.want.Bitbucket.URL),
			"a move needs a record of its own: leave record out, or have the Bitbucket in it, and write relocate { from = ... }")
	default:
		return true
	}
	return false
}

// sameLink refuses another URL for the link as long as the connection's own is
// there.
func (g *guard) sameLink() bool {
	if g.oldLink() == nil {
		return true
	}
	url := g.Record.LinkURL
	g.block(Refused, g.want.Where("application_link.url"),
		fmt.Sprintf("the connection's application link is on %s, and the files ask for %s: Bitbucket cannot move a link", url, g.want.Link.URL),
		fmt.Sprintf("keep the link: application_link { url = %q }; or delete it in Bitbucket, which ends its tokens, and apply makes the other one", url))
	return false
}

func (g *guard) otherOrganization(about About) bool {
	return !names.SameOrganization(about.Organization, g.want.Organization) ||
		about.Terraform != "" && !names.SameURL(about.Terraform, g.want.Terraform.Address)
}

func (g *guard) hasOwnClient() bool {
	for i := range g.Clients {
		if g.owns(&g.Clients[i]) {
			return true
		}
	}
	return false
}

// ownKeyInLink reports whether the wanted link is there with the record's consumer
// key: then it is the same Bitbucket, whatever it is called now.
func (g *guard) ownKeyInLink() bool {
	return g.Consumer != nil && g.Consumer.Key == g.Record.Consumer.Key
}

// oldLink returns the connection's link on the URL that its record names, where the
// files ask for another; nil when none of its own is there.
func (w *World) oldLink() *OtherLink {
	old, r := w.Old, w.Record
	if old == nil || r == nil || r.Consumer == nil || old.ConsumerKey != "" && old.ConsumerKey != r.Consumer.Key {
		return nil
	}
	return old
}
