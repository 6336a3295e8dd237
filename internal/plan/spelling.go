package plan

import (
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// spelled returns the connection with its link's URL as Bitbucket has it, where
// that differs from the configuration in spelling alone: Bitbucket derives a
// link's id from the spelling, so that steps must name the one that is there.
func spelled(want *schema.Connection, have Have) *schema.Connection {
	if have.Link == nil || have.Link.URL == want.Link.URL || !names.SameURL(have.Link.URL, want.Link.URL) {
		return want
	}
	same := *want
	same.Link.URL = have.Link.URL
	return &same
}

// spelling notes how Terraform spells the organization, where the configuration
// spells it otherwise.
func (d *differ) spelling() {
	for _, c := range d.have.Clients {
		if c.Organization != "" && c.Organization != d.want.Organization && names.SameOrganization(c.Organization, d.want.Organization) {
			d.note(d.want.Where("organization"), "Terraform spells the organization %q; the configuration says %q, which is the same organization", c.Organization, d.want.Organization)
			return
		}
	}
}
