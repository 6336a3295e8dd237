package plan

import (
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// seenBy returns what a connection that stays would take for its own of what is
// to be removed, "" for nothing: another spelling of a name may have made two
// connections of one.
func (g *guard) seenBy(c *schema.Connection, have Have) string {
	if c.Record == g.want.Record || g.takenOver(have) {
		return ""
	}
	if c.Bitbucket.Label == g.want.Bitbucket.Label && names.SameURL(c.Link.URL, g.want.Link.URL) && g.Link != nil {
		return "application link, " + c.Link.URL
	}
	if have.Record != nil && have.Record.Consumer != nil {
		return ""
	}
	if client, _ := ClientOf(c, have); client != nil && g.owns(client) {
		return "OAuth client, " + client.ID
	}
	return ""
}
