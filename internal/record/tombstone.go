package record

import "time"

// A Tombstone says that bbsync no longer keeps the connection. The record stays,
// since a deleted one could be mistaken for one that never existed.
type Tombstone struct {
	How string // TombstoneRetired, TombstoneForgotten or TombstoneMoved
	At  time.Time
	To  string // path of the record that it was moved to
}

// The ways in which a connection ends, as they are stored.
const (
	TombstoneRetired   = "retired"   // removed from all systems; the record holds no key
	TombstoneForgotten = "forgotten" // left as it is, in the systems and here
	TombstoneMoved     = "moved"     // continues at another path; the record holds no key
)

// WithoutKeys returns what the record says of the connection, without its keys
// and without the fields of a newer bbsync, which could be keys.
func (r Record) WithoutKeys() Record {
	return Record{
		Generation: r.Generation, Fleet: r.Fleet, Address: r.Address, Terraform: r.Terraform, Organization: r.Organization,
		Bitbucket: r.Bitbucket, ServiceUser: r.ServiceUser, Protected: r.Protected, Lease: r.Lease,
	}
}
