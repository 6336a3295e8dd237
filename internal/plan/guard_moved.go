package plan

import (
	"fmt"
	"slices"

	"github.com/bbsync/bbsync/internal/names"
)

// movedLink refuses a record whose application link would be on another URL now:
// moving has no effect on the systems, and Bitbucket cannot move links.
func (g *guard) movedLink() {
	g.refuseClaims()
	m := g.Moved
	if m == nil {
		return
	}
	if url := m.Record.LinkURL; url != "" && !names.SameURL(url, g.want.Link.URL) {
		g.block(Refused, g.want.Where("application_link.url"),
			fmt.Sprintf("%s moved here from %s, but its application link is on %s, and the files ask for %s: Bitbucket cannot move a link", g.want.Address, m.Record.Address, url, g.want.Link.URL),
			fmt.Sprintf("keep the link: application_link { url = %q }", url))
	}
}

// refuseClaims refuses to choose among records. Anyone who may write one record can
// give it the address of another connection.
func (g *guard) refuseClaims() {
	if len(g.Claims) > 0 {
		g.block(Refused, g.want.Range,
			fmt.Sprintf("the records %s all claim to be the one that a moved block has for %s", list(g.Claims), g.want.Address),
			"find out which one has the keys that are in use (bbsync_fingerprint fields), and correct the address in the others")
	}
}

// trusted reports whether a record at another path may be taken for the
// connection's own: it must be of this fleet and have the keys that the systems
// have, as its other fields can be copied from what everybody sees.
func (g *guard) trusted() bool {
	m := g.Moved
	if m == nil || len(g.blocks) > 0 {
		return true
	}
	switch r := m.Record; {
	case r.Fleet != g.Target.Fleet:
		g.block(Refused, g.want.Range, fmt.Sprintf("the record %s is of fleet %q, not of %s", m.Path, r.Fleet, g.Target.Fleet), "a record moves within its fleet only")
	case !g.hasPair(r.Consumer):
		g.block(Refused, g.want.Range,
			fmt.Sprintf("the record %s says that it is that of %s, but neither the application link nor an OAuth client has its consumer's pair, %s", m.Path, r.Address, r.Consumer.Fingerprint),
			"if it is the right record, describe the connection at "+r.Address+" again, apply, and move it when it is in sync; if not, remove the moved block or the record")
	case r.Consumer.PrivateElsewhere && g.unknownSSHKey(r) != "":
		g.block(Refused, g.want.Range,
			fmt.Sprintf("the record %s has SSH key %s, which is not on Bitbucket, and no private half of the consumer's pair: that it is the connection's own record is not certain", m.Path, g.unknownSSHKey(r)),
			"describe the connection at "+r.Address+" again, apply, and move it when it is in sync")
	default:
		return true
	}
	return false
}

// hasPair reports whether one of the systems has the consumer's pair.
func (g *guard) hasPair(c *ConsumerKey) bool {
	if c == nil {
		return false
	}
	is := func(key, fingerprint string) bool {
		return key == c.Key && fingerprint != "" && (fingerprint == c.Fingerprint || fingerprint == c.Previous)
	}
	if g.Consumer != nil && is(g.Consumer.Key, g.Consumer.Fingerprint) {
		return true
	}
	return slices.ContainsFunc(g.Clients, func(c Client) bool { return is(c.Key, c.Fingerprint) })
}

// unknownSSHKey returns an SSH key of a record that Bitbucket does not have, "" for
// none.
func (g *guard) unknownSSHKey(r *Record) string {
	for _, k := range r.sshKeys() {
		if k.Fingerprint != "" && !g.published(k.Fingerprint) {
			return k.Fingerprint
		}
	}
	return ""
}

// mayMove refuses the move of a record that must not empty the one at the old path.
func (g *guard) mayMove() {
	from := ""
	switch {
	case g.Record == nil:
	case g.Moved != nil:
		from = g.Moved.Path
		if g.Before != nil && g.Before.Record.Ended == "" && !g.mayEmpty(from, g.Record) {
			return
		}
	case g.halfMoved():
		from = g.Before.Path
		if !g.mayEmpty(g.want.Record, g.Record) {
			return
		}
	}
	if from != "" && g.want.Protect { // what is at the old path is destroyed
		g.block(Refused, g.want.Where("protect"), fmt.Sprintf("%s is protected, and the move of its record empties the one at %s", g.want.Address, from),
			"set protect = false for the apply that moves it, then true again")
	}
}

// mayEmpty reports whether the record that another one says it took over may be
// emptied. That the other one says so is not enough, as anyone who may write one
// record can write it: a moved block must name the connection that it describes, and
// it must hold the same keys.
func (g *guard) mayEmpty(path string, r *Record) bool {
	before := g.Before
	says := fmt.Sprintf("the record %s says that it took over %s, which is the record of %s in fleet %s", path, before.Path, before.Record.Address, before.Record.Fleet)
	switch old := before.Record; {
	case old.Fleet != g.Target.Fleet:
		g.block(Refused, g.want.Range, says, "a record moves within its fleet only: remove moved_from from the record "+path)
	case old.Address == "" || !slices.Contains(g.From, old.Address):
		g.block(Refused, g.want.Range, says+", and no moved block says so",
			fmt.Sprintf("if it did, write moved { from = %s  to = %s } and apply; if not, remove moved_from from the record %s", old.Address, g.want.Address, path))
	case old.Contradiction != nil:
		g.block(Refused, g.want.Range, old.Contradiction.Text, old.Contradiction.Remedy)
	case old.hasKeys() && !sameKeys(r, old):
		g.block(Refused, g.want.Range, says+", but the two hold different keys",
			"find out which keys are in use; remove moved_from from the record "+path+" to leave the other one alone")
	case !sameServers(r.About, old.About):
		g.block(Refused, g.want.Range, says+", but the two are of different organizations or Bitbuckets", "remove moved_from from the record "+path)
	default:
		return true
	}
	return false
}
