package plan

import (
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// connect plans one connection that the configuration describes.
//
//	record | link or client there | what happens
//	-------+----------------------+------------------------------------------
//	no     | no                   | everything is made
//	no     | yes                  | refused, or taken over when adopting
//	yes    | ours or none         | differences are repaired in place
//	yes    | somebody else's      | refused, or taken over when adopting
func connect(fleet string, want *schema.Connection, have Have, now time.Time, asked Rotation, resolved *Ask, users sshUsers) Connection {
	want = spelled(want, have)
	w := Read(fleet, want, have, now)
	ask := Resolve(asked, w)
	if resolved != nil {
		ask, ask.Hold = *resolved, asked.Hold
	}
	g := &guard{view: view{World: &w, want: want, ask: &ask}, users: users}
	out := Connection{Target: w.Target, At: want.Range, Basis: have.Record.Basis(), Ask: ask}
	if !g.mayPlan() {
		out.Blocks, out.Notes = g.blocks, g.notes
		return out
	}
	changes, end, err := walk(describedRules(), g.view)
	if err != nil {
		g.endless(err)
	}
	numberWaves(changes)
	t := telling{findings: g.findings, view: g.view, end: view{World: &end, want: want, ask: &ask}, asked: asked, changes: changes}
	t.tell()
	out.Changes, out.Blocks, out.Notes = once(changes), t.blocks, t.notes
	out.Ages, out.Token, out.Person, out.Deletes = Ages(want, w.Have, now), g.clientToken(), g.person(changes), w.deletes()
	if len(out.Blocks) > 0 {
		out.Changes = nil
	}
	return out
}

// Read returns the world of a connection as it was read. A record that is to move
// counts as the connection's own.
func Read(fleet string, want *schema.Connection, have Have, now time.Time) World {
	w := World{Have: have.Taken(), Target: target(fleet, want), Now: now}
	if w.User == nil {
		return w
	}
	v := view{World: &w, want: want}
	w.User = WithFormer(w.User, w.Record, v.clientToken())
	w.Target.UserID = w.User.ID
	w.Target.UserNames = []string{w.User.Slug, w.User.DisplayName}
	if w.User.Former != "" {
		w.Target.UserNames = append(w.Target.UserNames, w.User.Former)
	}
	return w
}

// once tells a reason with the first of the steps that it is for. That a link is to be
// made where this plan deletes one is no reason of its own.
func once(changes []Change) []Change {
	told := map[Reason]bool{}
	deleted := false
	for i := range changes {
		c := &changes[i]
		c.Because = slices.DeleteFunc(c.Because, func(r Reason) bool {
			_, made := c.Step.(CreateLink)
			known := told[r] || made && deleted
			told[r] = true
			return known
		})
		if _, ok := c.Step.(DeleteLink); ok {
			deleted = true
		}
	}
	return changes
}

// person returns what someone needs who does the manual step, nil where there is none,
// or no client yet to authorize.
func (v view) person(changes []Change) *Person {
	c := v.client()
	if c == nil || !has[Authorize](changes) {
		return nil
	}
	p := &Person{ClientID: c.ID, URL: c.ConnectURL, Consumer: v.want.Consumer.Name}
	if t := c.Token; t != nil {
		p.Token, p.TokenUser, p.Dead = t.ID, t.User, v.isServiceUser(t)
	}
	return p
}

// clientToken returns the token of the client that is the connection's or is taken
// over, nil for none.
func (v view) clientToken() *Token {
	if c := v.client(); c != nil {
		return c.Token
	}
	return nil
}

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
