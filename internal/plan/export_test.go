package plan

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/bbsync/bbsync/schema"
)

// Leaving returns the world of a connection that is to go.
func (w World) Leaving() World {
	w.leaving = true
	return w
}

// Rules returns the names of the rules of a connection that is described, in order.
func Rules() []string {
	var out []string
	for _, r := range describedRules() {
		out = append(out, r.name)
	}
	return out
}

// WalkSwapped is Walk with the rule at a place and the next one swapped.
func WalkSwapped(place int, want *schema.Connection, w World, ask Ask) ([]Change, error) {
	rules := describedRules()
	rules[place], rules[place+1] = rules[place+1], rules[place]
	changes, _, err := walk(rules, view{World: &w, want: want, ask: &ask})
	return changes, err
}

// Guarded returns what forbids to plan a world.
func Guarded(want *schema.Connection, w World) []Block {
	g := &guard{view: view{World: &w, want: want, ask: &Ask{}}}
	g.mayPlan()
	return g.blocks
}

// Show returns all of a world but its Bitbucket, to be told from others.
func (w World) Show() string {
	body, err := json.Marshal([]any{
		w.Record, w.Moved, w.Before, w.Link, w.NameTaken, w.Consumer, w.Old, w.Clients, w.Keys, w.OldKeys, w.Using, w.TokenDead,
	})
	return fmt.Sprintf("%s %+v %v", body, w.since, err)
}

// Walk returns the steps to what is wanted, and the world that they lead to.
func Walk(want *schema.Connection, w World, ask Ask) ([]Change, World, error) {
	return walk(describedRules(), view{World: &w, want: want, ask: &ask})
}

// Diff plans one connection, whatever else the fleet has.
func Diff(fleet string, want *schema.Connection, have Have, now time.Time) Connection {
	return Rotate(fleet, want, have, now, Rotation{})
}

// Rotate is Diff with a rotation asked for.
func Rotate(fleet string, want *schema.Connection, have Have, now time.Time, asked Rotation) Connection {
	return connect(fleet, want, have, now, asked, nil, sshUsers{})
}
