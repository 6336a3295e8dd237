package plan

import "fmt"

// notAnothers refuses what the record of another connection of the files names, too,
// unless the keys prove that it is this connection's. Anyone who may write one record
// can copy names into it that everybody sees; nobody can copy a pair.
func (g *guard) notAnothers() bool {
	if c := g.client(); c != nil && g.owns(c) && !g.holds(c.Key, c.Fingerprint) {
		if other := g.users.namedBy(g.want.Address, c.ID, c.Key); other != "" {
			g.block(Refused, g.want.Range,
				fmt.Sprintf("OAuth client %s is in the record %s and in that of %s, and it does not have the consumer's pair of this one", c.ID, g.want.Record, other),
				"find out whose it is, and remove client_id from the other record")
			return false
		}
	}
	if c := g.Consumer; c != nil && !g.holds(c.Key, c.Fingerprint) {
		if other := g.users.namedBy(g.want.Address, c.Key); other != "" {
			g.block(Refused, g.want.Where("application_link.url"),
				fmt.Sprintf("application link %q on %s has consumer key %s, which is that of %s", g.Link.Name, g.Link.URL, c.Key, other),
				"choose another url in application_link")
			return false
		}
	}
	return true
}

// holds reports whether the record has the pair with this public half.
func (g *guard) holds(key, fingerprint string) bool {
	r := g.Record
	return r != nil && r.Consumer != nil && r.Consumer.Key == key && fingerprint != "" && (fingerprint == r.Consumer.Fingerprint || fingerprint == r.Consumer.Previous)
}
