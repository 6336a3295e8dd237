package plan_test

import (
	"fmt"
	"maps"
	"sync"
)

// configurationEdits are what people change in the configuration.
func configurationEdits() []edit {
	kept := func(do func(*world, *recordKept)) func(*world) {
		return func(w *world) {
			if w.record != nil && w.record.ended == "" && !w.elsewhere && w.behind == nil && !w.leaves {
				do(w, w.record)
			}
		}
	}
	return []edit{
		{"another service user", func(w *world) {
			if w.betweenUsers() {
				return
			}
			if w.user == user {
				w.user = secondUser
			} else {
				w.user = user
			}
		}},
		{"protected", func(w *world) { w.protect = true }},
		{"not protected", func(w *world) { w.protect = false }},
		{"another address", kept(func(w *world, r *recordKept) { w.elsewhere, w.moved, r.movedFrom = true, true, false })},
		{"the very end of a move was cut off", kept(func(w *world, r *recordKept) { w.moved, r.movedFrom = true, true })},
		{"not described any more", kept(func(w *world, _ *recordKept) { w.leaves, w.forget, w.accepts = !w.betweenUsers(), false, false })},
		{"not described any more, and workspaces may be unlinked", kept(func(w *world, _ *recordKept) { w.leaves, w.forget, w.accepts = !w.betweenUsers(), false, true })},
		{"let go", kept(func(w *world, _ *recordKept) { w.leaves, w.forget = true, true })},
		{"described again", func(w *world) { w.leaves = false }},
	}
}

// fleetEdits are what becomes of other connections of the fleet, and of workspaces.
func fleetEdits() []edit {
	uses := func(o neighbour) func(*world) {
		return func(w *world) {
			if w.record != nil && w.record.ssh != 0 {
				o.ssh = w.record.ssh
				w.other = new(o)
			}
		}
	}
	return []edit{
		{"another connection uses the key", uses(neighbour{described: true})},
		{"another connection of the run uses the key", uses(neighbour{described: true, planned: true})},
		{"a connection that is not described uses the key", uses(neighbour{})},
		{"the key is compromised elsewhere", uses(neighbour{described: true, planned: true, compromised: true})},
		{"no other connection uses the key", func(w *world) { w.other = nil }},
		{"a workspace is created", func(w *world) {
			if len(w.clients) > 0 && w.clients[0].token != nil {
				w.workspaces[fmt.Sprint("made-", w.tick())] = w.clients[0].token.id
			}
		}},
		{"workspaces cannot be fetched", func(w *world) { w.unfetchable = w.relocates }},
		{"the old client is deleted", func(w *world) {
			if w.old != nil {
				w.dropToken(w.old)
				w.old = nil
			}
		}},
		{"an older version was cut off in a switch", func(w *world) {
			if r := w.record; r != nil && r.pending != 0 && w.lets(r.pending) && w.provenSSH[r.pending] {
				if c, err := w.ours(); err == nil && c.token != nil && c.token.user == w.user {
					c.token.ssh, r.tokenMay, r.olderSwitch = r.pending, "", true
				}
			}
		}},
	}
}

// drawn counts what the worlds of all laws had in them.
var drawn = &counts{seen: map[string]int{}}

type counts struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *counts) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[what]++
}

func (c *counts) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

// betweenUsers reports whether a key of the record is on another user than the record
// names: a move from one service user to another was cut off. Changing the configuration
// to a third user, or removing the connection, leaves that key on Bitbucket, without its
// private half: no law holds for it.
func (w *world) betweenUsers() bool {
	r := w.record
	if r == nil || r.user == "" {
		return false
	}
	for _, pair := range []int{r.ssh, r.pending, r.previous} {
		if on := w.published[pair]; pair != 0 && on != "" && on != r.user {
			return true
		}
	}
	return false
}
