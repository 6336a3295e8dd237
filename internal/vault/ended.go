package vault

import (
	"context"
	"time"
)

// Ended says that bbsync does not keep the connection any more. The record stays,
// as a deleted one could be mistaken for one that never was.
type Ended struct {
	How string // EndRetired, EndForgotten or EndMoved
	At  time.Time
	To  string // path of the record that it was moved to
}

// The ways in which a connection ends.
const (
	EndRetired   = "retired"   // removed from all systems; the record holds no key
	EndForgotten = "forgotten" // left as it is, in the systems and here
	EndMoved     = "moved"     // goes on under another path; the record holds no key
)

// WithoutKeys returns what the record says of the connection, but none of its
// keys and nothing that a newer bbsync may have put there beside them.
func (r Record) WithoutKeys() Record {
	return Record{
		Generation: r.Generation, Fleet: r.Fleet, Address: r.Address, Terraform: r.Terraform, Organization: r.Organization,
		Bitbucket: r.Bitbucket, ServiceUser: r.ServiceUser, Protected: r.Protected, Lease: r.Lease,
	}
}

// Begin writes the first record at a path, or the next one where an earlier
// connection ended at that version.
func (c *Client) Begin(ctx context.Context, path string, r Record, at Version) error {
	_, err := c.Write(ctx, path, newRecord(r), at)
	return err
}
