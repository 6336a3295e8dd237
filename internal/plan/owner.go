package plan

import (
	"strings"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// owns reports whether an OAuth client is the connection's: the record names it, or it
// has the record's consumer key.
func (w *World) owns(c *Client) bool {
	r := w.Record
	return r != nil && (r.ClientID != "" && r.ClientID == c.ID || r.Consumer != nil && r.Consumer.Key == c.Key && c.Key != "")
}

// Client returns the OAuth client that is the connection's, nil for none. Of several
// it is the one with a token, else the one that the record names, which is where apply
// puts keys, else the oldest.
func (w *World) Client() *Client {
	var ours *Client
	for i := range w.Clients {
		if c := &w.Clients[i]; w.owns(c) && (ours == nil || w.outranks(c, ours)) {
			ours = c
		}
	}
	return ours
}

func (w *World) outranks(a, b *Client) bool {
	named := w.Record.ClientID
	switch {
	case (a.Token != nil) != (b.Token != nil):
		return a.Token != nil
	case (a.ID == named) != (b.ID == named):
		return a.ID == named
	}
	return a.Created.Before(b.Created)
}

// secondClients returns the other OAuth clients that are the connection's, as answers
// that were lost leave them.
func (w *World) secondClients() []*Client {
	var out []*Client
	ours := w.Client()
	for i := range w.Clients {
		if c := &w.Clients[i]; w.owns(c) && c.ID != ours.ID {
			out = append(out, c)
		}
	}
	return out
}

// madeHere reports whether bbsync must have made a client: it has the pair that
// Vault holds and nobody else has. A user-supplied pair, or one that Vault never
// had, may have been given to a client by somebody else.
func (w *World) madeHere(c *Client) bool {
	k := w.Record.Consumer
	return k != nil && !k.PrivateElsewhere && !k.UserSupplied && k.Fingerprint == c.Fingerprint
}

// candidate returns the OAuth client to take over where none is the connection's, nil
// for none.
func (v view) candidate() *Client {
	var best *Client
	most := 0
	for i := range v.Clients {
		if c := &v.Clients[i]; !v.owns(c) {
			if claim := v.claim(c); claim > most {
				best, most = c, claim
			}
		}
	}
	return best
}

// claim tells how much speaks for a client that is not ours being the one to
// take over: the consumer key that the user brings or the link has, then the
// wanted name, then a token.
func (v view) claim(c *Client) int {
	claim := 0
	switch {
	case c.Key != "" && (c.Key == v.want.Consumer.Key || v.Consumer != nil && c.Key == v.Consumer.Key):
		claim = 4
	case c.Name == v.want.Name:
		claim = 2
	}
	if claim == 0 || !names.SameURL(c.HTTPURL, v.want.Bitbucket.URL) {
		return 0
	}
	if c.Token != nil {
		claim++
	}
	return claim
}

// ownsLink reports whether the link is this connection's. A link's id says
// little: Bitbucket derives it from the URL, so that somebody else's link has
// the id that ours had. A consumer with another key is ours, changed, when it
// still says so itself.
func (w *World) ownsLink() bool {
	r := w.Record
	switch {
	case r == nil || r.Consumer == nil:
		return false
	case w.Consumer == nil: // an empty link serves nobody: ours, half made
		return true
	}
	return r.Consumer.Key == w.Consumer.Key || w.marked() && r.LinkID == w.Link.ID
}

// marked reports whether the link's consumer says that this fleet made it.
func (w *World) marked() bool {
	return w.Consumer != nil && strings.TrimSpace(w.Consumer.Description) == OwnerMark(w.Target.Fleet)
}

// OwnerMark is what bbsync writes into a consumer's description to say whose it
// is.
func OwnerMark(fleet string) string { return "managed by bbsync, fleet " + fleet }

// ClientOf returns the OAuth client that is the connection's among those that
// were read, nil for none. ours is false for one that could only be taken over.
func ClientOf(want *schema.Connection, have Have) (client *Client, ours bool) {
	v := view{World: &World{Have: have.Taken()}, want: want}
	client = v.client()
	return client, client != nil && v.owns(client)
}

// OwnClients returns the OAuth clients that are the connection's.
func OwnClients(have Have) []Client {
	w := World{Have: have}
	var own []Client
	for i := range have.Clients {
		if w.owns(&have.Clients[i]) {
			own = append(own, have.Clients[i])
		}
	}
	return own
}
