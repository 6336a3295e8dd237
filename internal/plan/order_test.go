package plan_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

// freeOrder are neighbouring rules whose order changes no plan, and why.
func freeOrder() map[string]string {
	return map[string]string{
		"second client, first pair": "a second client is known by a pair whose private key is in Vault, and then no first pair is missing",
		"previous key, staged key":  "a record has one of the two: a key is staged when the previous one is retired",
		"token, workspaces":         "workspaces move with a proven token, whichever of the two rules has it proven",
	}
}

// rareWorlds are worlds in which two rules have something to do that are seldom drawn
// together.
func rareWorlds() []plannedWorld {
	var out []plannedWorld
	for _, change := range []func(*schema.Connection, *plan.Have){
		func(c *schema.Connection, h *plan.Have) { // lease and record
			c.Protect, h.Record.Lease = true, &plan.Lease{Holder: "somebody", Expires: noon.AddDate(70, 0, 0), Broken: true}
		},
		func(_ *schema.Connection, h *plan.Have) { // fetched and second client
			twin := h.Clients[0]
			twin.ID, twin.Token = "oc-2", nil
			h.Record.Moving, h.Clients = begun(), append(h.Clients, twin)
		},
		func(_ *schema.Connection, h *plan.Have) { // first key and emergency
			h.Record.Current.PrivateElsewhere, h.Clients[0].Token = true, nil
			h.Record.Previous = &plan.Key{Fingerprint: "ssh-0", Compromised: "stolen"}
		},
		func(_ *schema.Connection, h *plan.Have) { // leftovers and previous key
			h.Record.Retired = &plan.RetiredKey{Fingerprint: "ssh-9"}
			h.Record.Previous, h.Record.Current.Set = &plan.Key{Fingerprint: "ssh-0", Left: noon.AddDate(-1, 0, 0)}, noon.AddDate(-1, 0, 0)
		},
	} {
		want, have := aConnection(), inSync()
		change(want, &have)
		out = append(out, plannedWorld{want: want, state: plan.Read(fleet, want, have, noon)})
	}
	return out
}

// A plannedWorld is a world with what is asked of it and the steps that are planned.
type plannedWorld struct {
	want  *schema.Connection
	state plan.World
	ask   plan.Ask
	steps []string
}

// TestOrder: which rule comes first matters. Each two neighbouring rules, swapped,
// change a plan somewhere in the worlds, or are listed as free.
func TestOrder(t *testing.T) {
	var worlds []plannedWorld
	check(t, 5000, func(t *rapid.T) {
		w, ok := drawPlanned(t)
		if !ok {
			return
		}
		want, s := w.state()
		ask := plan.Resolve(w.asked, s)
		changes, _, err := plan.Walk(want, s, ask)
		if err != nil {
			t.Fatal(err)
		}
		worlds = append(worlds, plannedWorld{want, s, ask, kindsIn(changes)})
	})
	for _, rare := range rareWorlds() {
		changes, _, err := plan.Walk(rare.want, rare.state, rare.ask)
		if err != nil {
			t.Fatal(err)
		}
		rare.steps = kindsIn(changes)
		worlds = append(worlds, rare)
	}
	names := plan.Rules()
	for i := range len(names) - 1 {
		pair := names[i] + ", " + names[i+1]
		matters := slices.IndexFunc(worlds, func(p plannedWorld) bool { return !slices.Equal(p.steps, swapped(i, p.want, p.state, p.ask)) })
		if why, free := freeOrder()[pair]; (matters < 0) != free {
			t.Errorf("%s: swapped, they change no plan of %d: %t, listed as free: %t %s", pair, len(worlds), matters < 0, free, why)
		}
	}
}

// swapped returns the steps with two rules swapped; nil where that has no end.
func swapped(place int, want *schema.Connection, s plan.World, ask plan.Ask) (steps []string) {
	defer func() { _ = recover() }() // a rule met what an earlier rule would have made
	changes, err := plan.WalkSwapped(place, want, s, ask)
	if err != nil {
		return nil
	}
	return kindsIn(changes)
}

func kindsIn(changes []plan.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Step.Type().Kind+" "+c.Step.String())
	}
	return out
}
