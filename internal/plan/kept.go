package plan

import (
	"slices"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// A Kept is a connection that the files have on the Bitbucket which another one of
// its organization leaves: its workspaces are not that one's.
type Kept struct {
	Address string
	Client  string // name of its OAuth client
	ID      string // of its OAuth client, as recorded; "" when its record was not read
}

// A place is where an organization has connections.
type place struct {
	terraform    *schema.Terraform
	bitbucket    *schema.Bitbucket
	organization string // names.OrganizationKey
}

// keepers are the connections of the files, by place.
type keepers map[place][]Kept

// keepersOf returns them. Records are those of the connections that are planned.
func keepersOf(fleet *schema.Fleet, connections []*schema.Connection, have []Have) keepers {
	recorded := map[string]string{}
	for i, c := range connections {
		if r := have[i].Record; r != nil {
			recorded[c.Address] = r.ClientID
		}
	}
	out := keepers{}
	for _, c := range fleet.Connections {
		at := place{c.Terraform, c.Bitbucket, names.OrganizationKey(c.Organization)}
		out[at] = append(out[at], Kept{Address: c.Address, Client: c.Name, ID: recorded[c.Address]})
	}
	return out
}

// left returns what the files keep where a connection's workspaces come from.
func (k keepers) left(want *schema.Connection) []Kept {
	if want.Relocate == nil || want.Relocate.From == nil {
		return nil
	}
	at := place{want.Terraform, want.Relocate.From, names.OrganizationKey(want.Organization)}
	return slices.DeleteFunc(slices.Clone(k[at]), func(one Kept) bool { return one.Address == want.Address })
}
