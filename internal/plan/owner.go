package plan

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// findClient returns the OAuth client that is this connection's: the one the
// record names, or the one that has the record's consumer key; else, as a
// candidate to take over, the one on the same Bitbucket with the best claim. Other
// clients that are ours are kept in twins.
func (d *differ) findClient() *Client {
	var ours, candidate *Client
	for i := range d.have.Clients {
		c := &d.have.Clients[i]
		switch {
		case d.ownsClient(c):
			ours = d.elder(ours, c)
		case d.claim(c) > d.claim(candidate):
			candidate = c
		}
	}
	if ours != nil {
		return ours
	}
	return candidate
}

// ClientOf returns the OAuth client that is the connection's among those that
// were read, nil for none. ours is false for one that could only be taken over.
func ClientOf(want *schema.Connection, have Have) (client *Client, ours bool) {
	d := &differ{want: want, have: have.Taken()}
	client = d.findClient()
	return client, client != nil && d.ownsClient(client)
}

// claim tells how much speaks for a client that is not ours being the one to
// take over: the consumer key that the user brings or the link has, then the
// wanted name, then a token.
func (d *differ) claim(c *Client) int {
	if c == nil || !names.SameURL(c.HTTPURL, d.want.Bitbucket.URL) {
		return 0
	}
	claim := 0
	switch {
	case c.Key != "" && (c.Key == d.want.Consumer.Key || d.have.Consumer != nil && c.Key == d.have.Consumer.Key):
		claim = 4
	case c.Name == d.want.Name:
		claim = 2
	default:
		return 0
	}
	if c.Token != nil {
		claim++
	}
	return claim
}

// elder returns which of two clients with our key stays: one with a token,
// else the one the record names, which is where apply puts keys, else the
// older. The other one is a twin.
func (d *differ) elder(a, b *Client) *Client {
	if a == nil {
		return b
	}
	stays, goes := a, b
	if d.outranks(b, a) {
		stays, goes = b, a
	}
	d.twins = append(d.twins, *goes)
	return stays
}

// secondClients plans the end of clients that a lost answer left: bbsync made
// them with the record's pair, and nobody has authorized them.
func (d *differ) secondClients() {
	for _, c := range d.twins {
		switch {
		case c.Token != nil:
			d.warn(d.want.Range, "OAuth client %s has this connection's consumer key and a token of its own, beside %s: remove one of them in Terraform", c.ID, d.client.ID)
		case !d.madeHere(&c):
			d.warn(d.want.Range, "OAuth client %s has this connection's consumer key, beside %s, and bbsync did not make it: remove it in Terraform if nobody needs it", c.ID, d.client.ID)
		default:
			d.add(DeleteClient{ID: c.ID, Name: c.Name, Why: "a second client with the same consumer key, which nobody has authorized"},
				d.reason("OAuth clients with this consumer key", c.ID+" and "+d.client.ID, d.client.ID, ""))
		}
	}
}

// madeHere reports whether bbsync must have made a client: it has the pair that
// Vault holds and nobody else has. A user-supplied pair, or one that Vault never
// had, may have been given to a client by somebody else.
func (d *differ) madeHere(c *Client) bool {
	consumer := d.have.Record.Consumer
	return consumer != nil && !consumer.Unheld && !consumer.Brought && consumer.Fingerprint == c.Fingerprint
}

func (d *differ) outranks(a, b *Client) bool {
	named := d.have.Record.ClientID
	switch {
	case (a.Token != nil) != (b.Token != nil):
		return a.Token != nil
	case (a.ID == named) != (b.ID == named):
		return a.ID == named
	}
	return a.Created.Before(b.Created)
}

func (d *differ) ownsClient(c *Client) bool {
	r := d.have.Record
	return r != nil && (r.ClientID != "" && r.ClientID == c.ID || r.Consumer != nil && r.Consumer.Key == c.Key && c.Key != "")
}

// ownsLink reports whether the link is this connection's. A link's id says
// little: Bitbucket derives it from the URL, so that somebody else's link has
// the id that ours had. A consumer with another key is ours, changed, when it
// still says so itself.
func (d *differ) ownsLink() bool {
	r, consumer := d.have.Record, d.have.Consumer
	switch {
	case r == nil || r.Consumer == nil:
		return false
	case consumer == nil: // an empty link serves nobody: ours, half made
		return true
	}
	return r.Consumer.Key == consumer.Key || d.marked() && r.LinkID == d.have.Link.ID
}

// marked reports whether the link's consumer says that this fleet made it.
func (d *differ) marked() bool {
	return d.have.Consumer != nil && strings.TrimSpace(d.have.Consumer.Description) == OwnerMark(d.out.Fleet)
}

// mayTouch reports whether what is already there may be changed: it is ours, or
// the files or the caller ask to take it over.
func (d *differ) mayTouch() bool {
	if l := d.have.Link; l != nil && l.Type != "generic" {
		d.block(Refused, d.want.Where("application_link.url"),
			fmt.Sprintf("%s is linked as %q (%s), which is not an OAuth 1.0a link of the generic type", l.URL, l.Name, l.Type),
			"delete that link in Bitbucket, or choose another url in application_link")
		return false
	}
	var foreign []string
	if l := d.have.Link; l != nil && !d.ownsLink() {
		text := fmt.Sprintf("application link %q on %s", l.Name, l.URL)
		if d.have.Consumer != nil {
			text += " with consumer key " + d.have.Consumer.Key
		}
		foreign = append(foreign, text)
	}
	if d.client != nil && !d.ownsClient(d.client) {
		foreign = append(foreign, fmt.Sprintf("OAuth client %q (%s) of organization %s", d.client.Name, d.client.ID, d.want.Organization))
	}
	if len(foreign) == 0 || d.want.Adopt {
		return true
	}
	d.refuse(foreign)
	return false
}

// refuse says whose the things are, as far as can be told, what is lost, and
// how to go on.
func (d *differ) refuse(foreign []string) {
	what := strings.Join(foreign, " and ")
	if d.sameServer() {
		d.block(Refused, d.want.Where("relocate.from"),
			fmt.Sprintf("%s is that of the connection which is left: %s and %s are one Bitbucket, and a link's URL is there once", what, d.want.Relocate.From.URL, d.want.Bitbucket.URL),
			fmt.Sprintf("give the new link a URL of its own: application_link { url = %q }", d.want.Link.URL+"/relocated"))
		return
	}
	if d.have.Record != nil && d.have.Record.Consumer != nil {
		d.block(Refused, d.want.Where("application_link.url"),
			what+" is there and is not this connection's: its record in Vault has another consumer key",
			"if nobody uses it any more, delete it; to take it over with new keys, run with --adopt '"+d.want.Address+"' or set adopt = true")
		return
	}
	if path := d.have.Elsewhere; path != "" {
		d.block(Refused, d.want.Where("record"),
			fmt.Sprintf("the record of %s is at %s, and the files have it at %s", d.want.Address, path, d.want.Record),
			fmt.Sprintf("to move it, write moved { from = %[1]s  to = %[1]s }; else put record, or what its default path is made of, back", d.want.Address))
		return
	}
	lost := "the keys it uses cannot be read back: Bitbucket has only public keys, and Terraform shows no private one"
	if r := d.have.Record; r != nil && r.Deleted != "" {
		lost = r.Deleted + "; otherwise " + lost
	}
	if d.marked() {
		d.block(Refused, d.want.Range,
			fmt.Sprintf("%s was made by this fleet, but its record is missing in Vault (%s); %s", what, d.want.Record, lost),
			"put record, and path of the vault block, back if they were others before; restore the record from Vault's older versions or a backup; or run with --adopt '"+d.want.Address+
				"': new key pairs are made and set in place, the consumer key and the OAuth client stay, and a person may have to authorize again")
		return
	}
	d.block(Refused, d.want.Range,
		fmt.Sprintf("%s is there, and Vault has no record of it (%s); %s", what, d.want.Record, lost),
		"to take it over with new key pairs, in place, run with --adopt '"+d.want.Address+
			"' or set adopt = true; a person may have to authorize again. If it is somebody else's, choose another url or name")
}

// OwnerMark is what bbsync writes into a consumer's description to say whose it
// is.
func OwnerMark(fleet string) string { return "managed by bbsync, fleet " + fleet }
