package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// forgotten is how a record says that a removed block let its connection go.
const forgotten = "forgotten"

// Describes reports whether a record is that of the very connection which the files
// describe, at whatever path: under its address, on its systems, with its link.
func Describes(r *Record, want *schema.Connection) bool {
	return r.Address == want.Address && names.SameURL(r.About.Terraform, want.Terraform.Address) && names.SameURL(r.About.Bitbucket, want.Bitbucket.URL) &&
		names.SameOrganization(r.About.Organization, want.Organization) && names.SameURL(r.LinkURL, want.Link.URL)
}

// takeMoved uses the record that the connection had under another address, or at
// another path, if it is what it says. Moving has no effect on the systems: a link
// that would be on another URL now is refused, as links cannot be moved.
func (d *differ) takeMoved() {
	d.refuseClaims()
	m := d.have.Moved
	if m == nil {
		return
	}
	d.have.Record = m.Record
	at := d.want.Where("application_link.url")
	if url := m.Record.LinkURL; url != "" && !names.SameURL(url, d.want.Link.URL) {
		d.block(Refused, at,
			fmt.Sprintf("%s moved here from %s, but its application link is on %s, and the files ask for %s: Bitbucket cannot move a link", d.want.Address, m.Record.Address, url, d.want.Link.URL),
			fmt.Sprintf("keep the link: application_link { url = %q }", url))
	}
}

// refuseClaims refuses to choose among records. Anyone who may write one record can
// give it the address of another connection.
func (d *differ) refuseClaims() {
	if len(d.have.Claims) > 0 {
		d.block(Refused, d.want.Range,
			fmt.Sprintf("the records %s all claim to be the one that a moved block has for %s", list(d.have.Claims), d.want.Address),
			"find out which one has the keys that are in use (bbsync_fingerprint fields), and correct the address in the others")
	}
}

// trusted reports whether a record at another path may be taken for the
// connection's own: it must be of this fleet and have the keys that the systems
// have, as its other fields can be copied from what everybody sees.
func (d *differ) trusted() bool {
	m := d.have.Moved
	if m == nil || len(d.out.Blocks) > 0 {
		return true
	}
	switch r := m.Record; {
	case r.Fleet != d.out.Fleet:
		d.block(Refused, d.want.Range, fmt.Sprintf("the record %s is of fleet %q, not of %s", m.Path, r.Fleet, d.out.Fleet), "a record moves within its fleet only")
	case !d.hasPair(r.Consumer):
		d.block(Refused, d.want.Range,
			fmt.Sprintf("the record %s says that it is that of %s, but neither the application link nor an OAuth client has its consumer's pair, %s", m.Path, r.Address, r.Consumer.Fingerprint),
			"if it is the right record, describe the connection at "+r.Address+" again, apply, and move it when it is in sync; if not, remove the moved block or the record")
	case r.Consumer.Unheld && d.unknownSSHKey(r) != "":
		d.block(Refused, d.want.Range,
			fmt.Sprintf("the record %s has SSH key %s, which is not on Bitbucket, and no private half of the consumer's pair: that it is the connection's own record is not certain", m.Path, d.unknownSSHKey(r)),
			"describe the connection at "+r.Address+" again, apply, and move it when it is in sync")
	default:
		return true
	}
	return false
}

// hasPair reports whether one of the systems has the consumer's pair.
func (d *differ) hasPair(c *ConsumerKey) bool {
	if c == nil {
		return false
	}
	is := func(key, fingerprint string) bool {
		return key == c.Key && fingerprint != "" && (fingerprint == c.Fingerprint || fingerprint == c.Previous)
	}
	if d.have.Consumer != nil && is(d.have.Consumer.Key, d.have.Consumer.Fingerprint) {
		return true
	}
	return slices.ContainsFunc(d.have.Clients, func(c Client) bool { return is(c.Key, c.Fingerprint) })
}

// unknownSSHKey returns an SSH key of a record that Bitbucket does not have, "" for
// none.
func (d *differ) unknownSSHKey(r *Record) string {
	for _, k := range []*Key{r.Pending, r.Current, r.Previous} {
		if k != nil && k.Fingerprint != "" && !d.published(k.Fingerprint) {
			return k.Fingerprint
		}
	}
	return ""
}

// describe plans what the record is to say of the connection.
func (d *differ) describe() {
	r := d.have.Record
	switch m := d.have.Moved; {
	case r == nil:
		return // a new record says it from the beginning
	case m != nil:
		d.moveRecord(m)
		return
	case r.MovedFrom != "" && d.have.Before != nil && d.have.Before.Record.Ended == "":
		d.endMove()
		return
	}
	var because []Reason
	if r.MovedFrom != "" {
		because = append(because, d.reason("record in Vault", "says that it took over "+r.MovedFrom, "that record has ended", ""))
	}
	if r.Address != d.want.Address && (slices.Contains(d.have.From, r.Address) || strings.EqualFold(r.Address, d.want.Address)) {
		because = append(because, d.reason("address in the record", r.Address, d.want.Address, ""))
	}
	if r.About.Protected != d.want.Protect {
		because = append(because, d.reason("protect in the record", fmt.Sprint(r.About.Protected), fmt.Sprint(d.want.Protect), "protect"))
	}
	if user := r.About.ServiceUser; user != "" && !names.SameUser(user, d.want.ServiceUser) && r.Current != nil && d.hasKey(r.Current.Fingerprint) {
		because = append(because, d.reason("whose SSH keys they are in the record", user, d.want.ServiceUser, "service_user"))
	}
	if r.Ended == forgotten {
		because = append(because, d.reason("record in Vault", "says that the connection is not kept any more", "kept", ""))
	}
	if !r.Deletes.IsZero() && d.have.Lifetime == 0 { // the setting is gone; a new version is kept
		because = append(because, d.reason("record in Vault", "deleted by Vault on "+dateTime(r.Deletes), "kept", ""))
	}
	if len(because) > 0 {
		d.add(NoteConnection{Address: d.want.Address, Protect: d.want.Protect, MovedFrom: r.MovedFrom}, because...)
	}
}

// moveRecord plans the move of a record. A move to its path that was cut off is
// ended with it.
func (d *differ) moveRecord(m *MovedRecord) {
	step := MoveRecord{From: m.Path, To: d.want.Record, Address: m.Record.Address, Basis: m.Record.Basis()}
	if before := d.have.Before; before != nil && before.Record.Ended == "" {
		if !d.mayEmpty(m.Path, m.Record) {
			return
		}
		step.Before, step.BeforeBasis = before.Path, before.Record.Basis()
	}
	d.emptying(step, d.reason("record in Vault", m.Path, d.want.Record, "organization"))
}

// endMove plans what is left of a move that was cut off after it had taken the
// keys over.
func (d *differ) endMove() {
	r, before := d.have.Record, d.have.Before
	if !d.mayEmpty(d.want.Record, r) {
		return
	}
	d.emptying(MoveRecord{From: before.Path, To: d.want.Record, Address: before.Record.Address, Basis: before.Record.Basis()},
		d.reason("record in Vault", "taken over, and its keys at "+before.Path+", too", "at "+d.want.Record+" alone", ""))
}

// emptying plans a move, unless the connection is protected: what is at the old path
// is destroyed.
func (d *differ) emptying(step MoveRecord, because Reason) {
	if d.want.Protect {
		d.block(Refused, d.want.Where("protect"), fmt.Sprintf("%s is protected, and the move of its record empties the one at %s", d.want.Address, step.From),
			"set protect = false for the apply that moves it, then true again")
		return
	}
	d.add(step, because)
}

// mayEmpty reports whether the record that another one says it took over may be
// emptied. That the other one says so is not enough, as anyone who may write one
// record can write it: a moved block must name the connection that it describes, and
// it must hold the same keys.
func (d *differ) mayEmpty(path string, r *Record) bool {
	before := d.have.Before
	says := fmt.Sprintf("the record %s says that it took over %s, which is the record of %s in fleet %s", path, before.Path, before.Record.Address, before.Record.Fleet)
	switch old := before.Record; {
	case old.Fleet != d.out.Fleet:
		d.block(Refused, d.want.Range, says, "a record moves within its fleet only: remove moved_from from the record "+path)
	case old.Address == "" || !slices.Contains(d.have.From, old.Address):
		d.block(Refused, d.want.Range, says+", and no moved block says so",
			fmt.Sprintf("if it did, write moved { from = %s  to = %s } and apply; if not, remove moved_from from the record %s", old.Address, d.want.Address, path))
	case old.Contradiction != nil:
		d.block(Refused, d.want.Range, old.Contradiction.Text, old.Contradiction.Remedy)
	case old.hasKeys() && !sameKeys(r, old):
		d.block(Refused, d.want.Range, says+", but the two hold different keys",
			"find out which keys are in use; remove moved_from from the record "+path+" to leave the other one alone")
	case !sameServers(r.About, old.About):
		d.block(Refused, d.want.Range, says+", but the two are of different organizations or Bitbuckets", "remove moved_from from the record "+path)
	default:
		return true
	}
	return false
}

func (r *Record) hasKeys() bool {
	return r.Consumer != nil || r.Pending != nil || r.Current != nil || r.Previous != nil
}

// sameKeys reports whether two records hold the same keys, with the same private
// halves.
func sameKeys(a, b *Record) bool {
	type held struct {
		fingerprint string
		unheld      bool
	}
	keys := func(r *Record) (out [4]held) {
		if c := r.Consumer; c != nil {
			out[0] = held{c.Key + " " + c.Fingerprint, c.Unheld}
		}
		for i, k := range []*Key{r.Pending, r.Current, r.Previous} {
			if k != nil {
				out[i+1] = held{k.Fingerprint, k.Unheld}
			}
		}
		return out
	}
	return keys(a) == keys(b)
}

// sameServers reports whether two records are of the same Terraform and Bitbucket.
// An organization that is renamed while its record moves has two names.
func sameServers(a, b About) bool {
	return names.SameURL(a.Terraform, b.Terraform) && names.SameURL(a.Bitbucket, b.Bitbucket)
}

// ChooseMoved returns the one record that a connection had before among those that
// claim it. One that another of them took over, and holds the same keys, is a part
// of that one.
func ChooseMoved(claims []MovedRecord) (*MovedRecord, []string) {
	left := slices.DeleteFunc(slices.Clone(claims), func(m MovedRecord) bool {
		return slices.ContainsFunc(claims, func(other MovedRecord) bool {
			return other.Path != m.Path && other.Record.MovedFrom == m.Path && sameKeys(other.Record, m.Record)
		})
	})
	switch len(left) {
	case 0:
		return nil, nil
	case 1:
		return &left[0], nil
	}
	var paths []string
	for _, m := range left {
		paths = append(paths, m.Path)
	}
	return nil, paths
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

// Taken returns have with the record that the connection takes over in place of its
// own.
func (h Have) Taken() Have {
	if h.Moved != nil {
		h.Record = h.Moved.Record
	}
	return h
}

// takesOver reports whether a connection is to take over the record at a path, or
// has begun to.
func (h Have) takesOver(path string) bool {
	return h.Moved != nil && h.Moved.Path == path || h.Before != nil && h.Before.Path == path
}

// Emptied counts the records that a plan empties by moving them.
func (p Plan) Emptied() int { return number[MoveRecord](p.Connections) }

// limitMoves refuses to empty more records than may be removed.
func limitMoves(fleet *schema.Fleet, connections []Connection, given *int) {
	most := fleet.MaxRemovals
	if given != nil {
		most = *given
	}
	n := number[MoveRecord](connections)
	if n <= most {
		return
	}
	for i := range connections {
		c := &connections[i]
		if number[MoveRecord](connections[i:i+1]) == 0 {
			continue
		}
		c.Changes = nil
		c.Blocks = append(c.Blocks, Block{
			Kind: Refused, At: fleet.MaxRemovalsRange,
			Text:   fmt.Sprintf("this would move %d records, which empties them at their old paths, and max_removals is %d", n, most),
			Remedy: fmt.Sprintf("look whether the moved blocks are right; if so, run with --max-removals %d, or raise max_removals in the bbsync block", n),
		})
	}
}
