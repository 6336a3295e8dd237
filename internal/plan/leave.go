package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// leave plans one connection that is to go.
func (r Removals) leave(l Leaving, have Have, used map[string]bool) Connection {
	d := &departure{Leaving: l, Removals: r, used: used}
	w := World{Have: have, Target: target(r.Fleet, l.Want), Now: r.Now, leaving: true}
	w.Target.Needs = nil
	g := &guard{view: view{World: &w, want: l.Want, ask: &Ask{}}}
	out := Connection{Target: w.Target, At: l.Want.Range, Removal: true, Basis: l.Record.Basis()}
	if l.For != nil {
		d.Why = "its workspaces move to " + l.For.Address
		out.After = l.For.Address
		g.note(l.Want.Range, "begins when %s has come to its end", l.For.Address)
	}
	if d.mayGo(g, &out) {
		changes, _, err := walk(d.rules(), g.view)
		if err != nil {
			g.endless(err)
		}
		out.Changes = once(changes)
	}
	if len(g.blocks) == 0 {
		d.tell(g, &out)
	}
	out.Blocks, out.Notes = g.blocks, g.notes
	return out
}

// mayGo reports whether anything of the connection is to be removed, or let go.
func (l *departure) mayGo(g *guard, out *Connection) bool {
	switch {
	case l.Forget:
		g.World.Record = l.Leaving.Record
		return !g.leased() && !g.contradiction()
	case l.protected(g.Have):
		l.stay(g, g.want.Where("protect"), "protected: it is not removed; set protect = false and apply first")
		return false
	case l.Kept != "":
		g.block(Refused, g.want.Range, l.Kept, "put the block back until the connection is removed, or write removed { from = ... } to leave all as it is")
		return false
	}
	g.unread()
	if len(g.blocks) > 0 || g.leased() || g.contradiction() {
		return false
	}
	if r := g.World.Record; r == nil || r.Ended != "" || r.Deleted != "" {
		g.note(g.want.Range, "Vault has no record of it: whatever is there is not this fleet's")
		return false
	}
	out.Basis = g.World.Record.Basis()
	// What the record of another connection alone knows of would be left behind. A
	// link on another URL is found, and goes.
	return !l.seen(g) && g.sameSystems()
}

// seen reports whether a connection that stays takes what is to be removed for its own.
func (l *departure) seen(g *guard) bool {
	for i, c := range l.Stay {
		if l.StayHave[i].takesOver(g.want.Record) {
			l.stay(g, g.want.Range, "its record moves to %s: it is %s", c.Record, c.Address)
			return true
		}
		if what := g.seenBy(c, l.StayHave[i]); what != "" {
			g.block(Refused, c.Range, fmt.Sprintf("%s is described on the same %s", c.Address, what),
				"if it is the same connection under another name, write a moved block; else give it a link and a name of its own")
			return true
		}
	}
	return false
}

// stay says why nothing of the connection is removed. That is a refusal where it
// was asked for by name, and no news where it only left the configuration.
func (l *departure) stay(g *guard, at hcl.Range, format string, args ...any) {
	if l.Asked {
		g.block(Refused, at, fmt.Sprintf(format, args...), "")
		return
	}
	g.note(at, format, args...)
}

// tell says what stays of a connection that goes, and what it waits for.
func (l *departure) tell(g *guard, out *Connection) {
	if len(out.Changes) == 0 || l.Forget {
		return
	}
	if out.After == "" {
		l.followMove(g, out)
	}
	l.tellClients(g, out)
	l.tellLinks(g)
	l.tellKeys(g)
	g.note(g.want.Range, "what %s was granted on projects and repositories stays: others may need it", cmp.Or(g.want.ServiceUser, "none"))
}

// followMove has the connection go after one that had begun to take workspaces
// from it, and may have to give them back: also when the configuration does not say any
// more that it takes them.
func (l *departure) followMove(g *guard, out *Connection) {
	for i, h := range l.StayHave {
		if h.Record == nil || h.Record.Moving == nil {
			continue
		}
		back, stays := h.Record.Moving.back(g.Clients), l.Stay[i]
		if slices.ContainsFunc(g.Clients, func(c Client) bool { return c.ID == back && g.owns(&c) }) {
			out.After = stays.Address
			g.note(g.want.Range, "begins when %s has come to its end: a run had begun to move workspaces to it from here", stays.Address)
			return
		}
	}
}

func (l *departure) tellClients(g *guard, out *Connection) {
	goes, stay := l.ownClients(g.view)
	for _, c := range stay {
		g.keep("OAuth client " + c.ID)
	}
	for _, c := range goes {
		out.Client = c.Name
		l.others(g, c.ID, l.stillUnlinked(c.ID))
	}
}

func (l *departure) tellLinks(g *guard) {
	if old := g.oldLink(); old != nil && l.used[old.ConsumerKey] {
		g.keep(fmt.Sprintf("application link %q", old.Link.Name))
	}
	link := g.Link
	switch {
	case link == nil:
	case !g.linkGoes():
		g.note(g.want.Range, "application link %q on %s stays: its consumer is not this connection's", link.Name, link.URL)
	case l.linkUsed(g.view):
		g.keep(fmt.Sprintf("application link %q", link.Name))
	}
}

func (l *departure) tellKeys(g *guard) {
	if g.want.ServiceUser == "" {
		g.warn(g.want.Range, "the record does not say who the service user is: its SSH keys on Bitbucket stay")
	}
	for _, k := range g.Record.sshKeys() {
		switch {
		case !g.published(k.Fingerprint):
		case l.used[k.Fingerprint]:
			g.keep("SSH key " + k.Fingerprint)
		case k.PrivateElsewhere:
			g.note(g.want.Range, "SSH key %s was made by hand and stays: delete it on Bitbucket when nobody uses it any more", k.Fingerprint)
		}
	}
}

func (g *guard) keep(what string) {
	g.note(g.want.Range, "%s stays: a connection that stays uses it", what)
}

// takenOver reports whether a connection that stays has the link's consumer key and
// has given Terraform a key of its own: what this one alone knows of is in use by
// nobody.
func (g *guard) takenOver(stays Have) bool {
	r := stays.Record
	if r == nil || r.Consumer == nil || r.Current == nil || g.Consumer == nil || r.Consumer.Key != g.Consumer.Key {
		return false
	}
	return slices.ContainsFunc(stays.Clients, func(c Client) bool {
		return c.ID == r.ClientID && c.Token != nil && c.Token.HasSSHKey && c.Token.ID == r.Current.Token
	})
}
