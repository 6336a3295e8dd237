package plan

import (
	"fmt"
	"strings"
)

// mayTouch reports whether what is already there may be changed: it is ours, or
// the files or the caller ask to take it over.
func (g *guard) mayTouch() bool {
	if l := g.Link; l != nil && l.Type != "generic" {
		g.block(Refused, g.want.Where("application_link.url"),
			fmt.Sprintf("%s is linked as %q (%s), which is not an OAuth 1.0a link of the generic type", l.URL, l.Name, l.Type),
			"delete that link in Bitbucket, or choose another url in application_link")
		return false
	}
	var foreign []string
	if l := g.Link; l != nil && !g.ownsLink() {
		text := fmt.Sprintf("application link %q on %s", l.Name, l.URL)
		if g.Consumer != nil {
			text += " with consumer key " + g.Consumer.Key
		}
		foreign = append(foreign, text)
	}
	if c := g.client(); c != nil && !g.owns(c) {
		foreign = append(foreign, fmt.Sprintf("OAuth client %q (%s) of organization %s", c.Name, c.ID, g.want.Organization))
	}
	if len(foreign) == 0 || g.want.Adopt {
		return true
	}
	g.refuse(foreign)
	return false
}

// refuse says whose the things are, as far as can be told, what is lost, and
// how to go on.
func (g *guard) refuse(foreign []string) {
	what := strings.Join(foreign, " and ")
	if g.sameServer() {
		g.block(Refused, g.want.Where("relocate.from"),
			fmt.Sprintf("%s is that of the connection which is left: %s and %s are one Bitbucket, and a link's URL is there once", what, g.want.Relocate.From.URL, g.want.Bitbucket.URL),
			fmt.Sprintf("give the new link a URL of its own: application_link { url = %q }", g.want.Link.URL+"/relocated"))
		return
	}
	if g.Record != nil && g.Record.Consumer != nil {
		g.block(Refused, g.want.Where("application_link.url"),
			what+" is there and is not this connection's: its record in Vault has another consumer key",
			"if nobody uses it any more, delete it; to take it over with new keys, run with --adopt '"+g.want.Address+"' or set adopt = true")
		return
	}
	if path := g.Elsewhere; path != "" {
		g.block(Refused, g.want.Where("record"),
			fmt.Sprintf("the record of %s is at %s, and the files have it at %s", g.want.Address, path, g.want.Record),
			fmt.Sprintf("to move it, write moved { from = %[1]s  to = %[1]s }; else put record, or what its default path is made of, back", g.want.Address))
		return
	}
	lost := "the keys it uses cannot be read back: Bitbucket has only public keys, and Terraform shows no private one"
	if r := g.Record; r != nil && r.Deleted != "" {
		lost = r.Deleted + "; otherwise " + lost
	}
	if g.marked() {
		g.block(Refused, g.want.Range,
			fmt.Sprintf("%s was made by this fleet, but its record is missing in Vault (%s); %s", what, g.want.Record, lost),
			"put record, and path of the vault block, back if they were others before; restore the record from Vault's older versions or a backup; or run with --adopt '"+g.want.Address+
				"': new key pairs are made and set in place, the consumer key and the OAuth client stay, and a person may have to authorize again")
		return
	}
	g.block(Refused, g.want.Range,
		fmt.Sprintf("%s is there, and Vault has no record of it (%s); %s", what, g.want.Record, lost),
		"to take it over with new key pairs, in place, run with --adopt '"+g.want.Address+
			"' or set adopt = true; a person may have to authorize again. If it is somebody else's, choose another url or name")
}
