package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/schema"
)

// forgotten is how a record says that a removed block let its connection go.
const forgotten = "forgotten"

// Describes reports whether a record is that of the very connection which the files
// describe, at whatever path: under its address, on its systems, with its link.
func Describes(r *Record, want *schema.Connection) bool {
	return r.Address == want.Address && sameURL(r.About.Terraform, want.Terraform.Address) && sameURL(r.About.Bitbucket, want.Bitbucket.URL) &&
		strings.EqualFold(r.About.Organization, want.Organization) && r.LinkURL == want.Link.URL
}

// takeMoved uses the record that the connection had under another address.
// Moving has no effect on the systems: a link that would be on another URL now
// is refused, as links cannot be moved.
func (d *differ) takeMoved() {
	m := d.have.Moved
	if m == nil {
		return
	}
	d.have.Record = m.Record
	if url := m.Record.LinkURL; url != "" && url != d.want.Link.URL {
		d.block(Refused, d.want.Where("application_link.url"),
			fmt.Sprintf("%s moved here from %s, but its application link is on %s, and the files ask for %s: Bitbucket cannot move a link", d.want.Address, m.Record.Address, url, d.want.Link.URL),
			fmt.Sprintf("keep the link: application_link { url = %q }", url))
	}
}

// describe plans what the record is to say of the connection.
func (d *differ) describe() {
	r := d.have.Record
	switch m := d.have.Moved; {
	case r == nil:
		return // a new record says it from the beginning
	case m != nil:
		d.add(MoveRecord{From: m.Path, To: d.want.Record, Before: m.Record.MovedFrom, Address: m.Record.Address, Basis: m.Record.Basis()},
			d.reason("record in Vault", m.Path, d.want.Record, "organization"))
		return
	case r.MovedFrom != "":
		d.endMove()
		return
	}
	var because []Reason
	if slices.Contains(d.have.From, r.Address) {
		because = append(because, d.reason("address in the record", r.Address, d.want.Address, ""))
	}
	if r.About.Protected != d.want.Protect {
		because = append(because, d.reason("protect in the record", fmt.Sprint(r.About.Protected), fmt.Sprint(d.want.Protect), "protect"))
	}
	if user := r.About.ServiceUser; user != "" && !strings.EqualFold(user, d.want.ServiceUser) && r.Current != nil && d.hasKey(r.Current.Fingerprint) {
		because = append(because, d.reason("whose SSH keys they are in the record", user, d.want.ServiceUser, "service_user"))
	}
	if r.Ended == forgotten {
		because = append(because, d.reason("record in Vault", "says that the connection is not kept any more", "kept", ""))
	}
	if len(because) > 0 {
		d.add(NoteConnection{Address: d.want.Address, Protect: d.want.Protect}, because...)
	}
}

// endMove plans what is left of a move that was cut off after it had taken the
// keys over.
func (d *differ) endMove() {
	r := d.have.Record
	d.add(MoveRecord{From: r.MovedFrom, To: d.want.Record, Address: r.Address},
		d.reason("record in Vault", "taken over, and its keys at "+r.MovedFrom+", too", "at "+d.want.Record+" alone", ""))
}

// MovedFrom returns the addresses that moved blocks say a connection had before.
func MovedFrom(moved []schema.Moved, address string) []string {
	var from []string
	for _, m := range moved {
		if m.To == address {
			from = append(from, m.From)
		}
	}
	return from
}
