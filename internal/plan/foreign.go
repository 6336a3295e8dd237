package plan

import "fmt"

// notAnothers refuses what the record of another connection of the files names, too,
// unless the keys prove that it is this connection's. Anyone who may write one record
// can copy names into it that everybody sees; nobody can copy a pair.
func (d *differ) notAnothers() bool {
	if c := d.client; c != nil && d.ownsClient(c) && !d.holds(c.Key, c.Fingerprint) {
		if other := d.users.namedBy(d.want.Address, c.ID, c.Key); other != "" {
			d.block(Refused, d.want.Range,
				fmt.Sprintf("OAuth client %s is in the record %s and in that of %s, and it does not have the consumer's pair of this one", c.ID, d.want.Record, other),
				"find out whose it is, and remove client_id from the other record")
			return false
		}
	}
	if c := d.have.Consumer; c != nil && !d.holds(c.Key, c.Fingerprint) {
		if other := d.users.namedBy(d.want.Address, c.Key); other != "" {
			d.block(Refused, d.want.Where("application_link.url"),
				fmt.Sprintf("application link %q on %s has consumer key %s, which is that of %s", d.have.Link.Name, d.have.Link.URL, c.Key, other),
				"choose another url in application_link")
			return false
		}
	}
	return true
}

// holds reports whether the record has the pair with this public half.
func (d *differ) holds(key, fingerprint string) bool {
	r := d.have.Record
	return r != nil && r.Consumer != nil && r.Consumer.Key == key && fingerprint != "" && (fingerprint == r.Consumer.Fingerprint || fingerprint == r.Consumer.Previous)
}
