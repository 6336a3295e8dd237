package plan

import (
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// seenBy returns what a connection that stays would take for its own of what is
// to be removed, "" for nothing: another spelling of a name may have made two
// connections of one.
func (d *remover) seenBy(c *schema.Connection, have Have) string {
	if c.Record == d.want.Record || d.takenOver(have) {
		return ""
	}
	if c.Bitbucket.Label == d.want.Bitbucket.Label && names.SameURL(c.Link.URL, d.want.Link.URL) && d.have.Link != nil {
		return "application link, " + c.Link.URL
	}
	if have.Record != nil && have.Record.Consumer != nil {
		return ""
	}
	if client, _ := ClientOf(c, have); client != nil && d.ownsClient(client) {
		return "OAuth client, " + client.ID
	}
	return ""
}
