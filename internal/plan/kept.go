package plan

import (
	"strings"

	"github.com/bbsync/bbsync/schema"
)

// A Kept is a connection that the files have on the Bitbucket which another one of
// its organization leaves: its workspaces are not that one's.
type Kept struct {
	Address string
	Client  string // name of its OAuth client
	ID      string // of its OAuth client, as recorded; "" when its record was not read
}

// kept returns what the files keep where the connection's workspaces come from.
// Records are those of the connections that are planned.
func kept(fleet *schema.Fleet, want *schema.Connection, connections []*schema.Connection, have []Have) []Kept {
	if want.Relocate == nil || want.Relocate.From == nil {
		return nil
	}
	recorded := map[string]string{}
	for i, c := range connections {
		if r := have[i].Record; r != nil {
			recorded[c.Address] = r.ClientID
		}
	}
	var out []Kept
	for _, c := range fleet.Connections {
		if c.Address != want.Address && c.Bitbucket == want.Relocate.From && c.Terraform == want.Terraform && strings.EqualFold(c.Organization, want.Organization) {
			out = append(out, Kept{Address: c.Address, Client: c.Name, ID: recorded[c.Address]})
		}
	}
	return out
}

// keptBy returns the connection of the files whose OAuth client this is, nil for none.
func (d *differ) keptBy(c Client) *Kept {
	for i, k := range d.have.Kept {
		if k.ID == c.ID || k.Client == c.Name {
			return &d.have.Kept[i]
		}
	}
	return nil
}
