package plan

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/names"
)

// sameConnection reports whether the record is that of the connection which the
// files describe, and its link where they have it.
func (d *differ) sameConnection() bool { return d.sameSystems() && d.sameLink() }

// sameSystems reports whether the record is of this organization and Bitbucket. A
// path in Vault may be written by hand, and what it is a record of may change in
// the files: carried out as a repair, that would leave what the record alone knows
// of behind in the other place, with keys that it shares and that rotate here only.
func (d *differ) sameSystems() bool {
	r := d.have.Record
	if r == nil || r.Consumer == nil {
		return true
	}
	about := r.About
	switch {
	case r.ClientID != "" && about.Organization != "" && d.otherOrganization(about) && !d.hasOwnClient():
		d.block(Refused, d.want.Where("organization"),
			fmt.Sprintf("the record %s is that of organization %s on %s, whose OAuth client %s is not in %s on %s",
				d.want.Record, about.Organization, about.Terraform, r.ClientID, d.want.Organization, d.want.Terraform.Address),
			"an organization that was renamed keeps its OAuth client; another one is another connection: give it a record of its own, "+
				"and have the old connection removed with bbsync apply --prune")
	case r.LinkURL != "" && about.Bitbucket != "" && !names.SameURL(about.Bitbucket, d.want.Bitbucket.URL) && !d.ownKeyInLink():
		d.block(Refused, d.want.Where("record"),
			fmt.Sprintf("the record %s is that of the connection to %s, whose OAuth client cannot be given another URL, and %s has no link with its consumer key",
				d.want.Record, about.Bitbucket, d.want.Bitbucket.URL),
			"a move needs a record of its own: leave record out, or have the Bitbucket in it, and write relocate { from = ... }")
	default:
		return true
	}
	return false
}

// sameLink refuses another URL for the link as long as the connection's own is
// there.
func (d *differ) sameLink() bool {
	if d.oldLink() == nil {
		return true
	}
	url := d.have.Record.LinkURL
	d.block(Refused, d.want.Where("application_link.url"),
		fmt.Sprintf("the connection's application link is on %s, and the files ask for %s: Bitbucket cannot move a link", url, d.want.Link.URL),
		fmt.Sprintf("keep the link: application_link { url = %q }; or delete it in Bitbucket, which ends its tokens, and apply makes the other one", url))
	return false
}

func (d *differ) otherOrganization(about About) bool {
	return !names.SameOrganization(about.Organization, d.want.Organization) ||
		about.Terraform != "" && !names.SameURL(about.Terraform, d.want.Terraform.Address)
}

func (d *differ) hasOwnClient() bool {
	for i := range d.have.Clients {
		if d.ownsClient(&d.have.Clients[i]) {
			return true
		}
	}
	return false
}

// ownKeyInLink reports whether the wanted link is there with the record's consumer
// key: then it is the same Bitbucket, whatever it is called now.
func (d *differ) ownKeyInLink() bool {
	return d.have.Consumer != nil && d.have.Consumer.Key == d.have.Record.Consumer.Key
}

// oldLink returns the connection's link on the URL that its record names, where the
// files ask for another; nil when none of its own is there.
func (d *differ) oldLink() *OtherLink {
	old, r := d.have.Old, d.have.Record
	if old == nil || r == nil || r.Consumer == nil || old.ConsumerKey != "" && old.ConsumerKey != r.Consumer.Key {
		return nil
	}
	return old
}
