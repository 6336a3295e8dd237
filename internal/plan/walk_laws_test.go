package plan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/plan/plantest"
	"github.com/bbsync/bbsync/schema"
)

// state is the world as the planner reads it, with what it knows of the fleet.
func (w world) state() (*schema.Connection, plan.World) {
	want, have := w.want(), w.read()
	if w.moved {
		have.From = []string{beforeAddress}
	}
	if o := w.other; o != nil {
		user := plan.KeyUser{Address: otherAddress, Described: o.described, Planned: o.planned}
		have.Shared = map[string][]plan.KeyUser{ssh(o.ssh): {user}}
		if o.compromised {
			have.Compromised = map[string]string{ssh(o.ssh): "stolen"}
		}
	}
	s := plan.Read(fleet, want, have, at(w.hours))
	if w.leaves {
		s = s.Leaving()
	}
	return want, s
}

// deeds are steps without the proofs, which a crash forgets, a line each.
func deeds(steps []plan.Step) []string {
	var out []string
	for _, s := range steps {
		if s.Type().Symbol == "?" {
			continue
		}
		line := s.Type().Kind
		switch s := s.(type) {
		case plan.AddSSHKey:
			line += " " + string(s.Role)
		case plan.CreateSSHKey:
			line += " " + string(s.Role)
		case plan.RetireKey:
			line += " " + string(s.Role)
		case plan.UpdateClient:
			line += fmt.Sprint(" keys ", s.Keys)
		case plan.CreateConsumerKey:
			line += fmt.Sprint(" again ", s.Again)
		case plan.SwitchKey:
			line += fmt.Sprint(" no token ", s.NoToken)
		case plan.MoveWorkspaces:
			line += fmt.Sprint(" ", s.Names)
		default:
		}
		out = append(out, line)
	}
	return out
}

func stepsIn(changes []plan.Change) []plan.Step {
	out := make([]plan.Step, len(changes))
	for i, c := range changes {
		out[i] = c.Step
	}
	return out
}

// drawPlanned draws a world that is described and not blocked, with what is asked of it.
func drawPlanned(t *rapid.T) (w world, ok bool) {
	w = drawWorld(t)
	w.asked = rapid.SampledFrom(askings()).Draw(t, "asked at last")
	return w, !w.leaves && len(w.plan().Connections[0].Blocks) == 0
}

// TestWalk holds the laws of a walk on predicted worlds: the plan after the first steps
// is the rest of the plan, though a crash forgets every proof; no world comes twice; no
// world is blocked; the plan ends within its bound; and no step carries a made-up name.
func TestWalk(t *testing.T) {
	thousands(t, func(t *rapid.T) {
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
		steps := stepsIn(changes)
		if most := 25 + len(w.workspaces); len(steps) > most {
			t.Fatalf("%d steps: %v", len(steps), steps)
		}
		seen := map[string]bool{}
		for k, step := range steps {
			if body, err := json.Marshal(step); err != nil || strings.Contains(string(body), `\u0000new`) {
				t.Fatalf("a made-up name is in step %s %s (%v)", step.Type().Kind, body, err)
			}
			if state := s.Show(); seen[state] {
				t.Fatalf("before step %d of %v the world is as before", k, steps)
			} else {
				seen[state] = true
			}
			s = plan.Effect(step, s)
			if blocks := plan.Guarded(want, s); len(blocks) > 0 {
				t.Fatalf("after step %d of %v it is blocked: %v", k, steps, blocks)
			}
			again, _, err := plan.Walk(want, s.Forget(), ask)
			if err != nil {
				t.Fatal(err)
			}
			if rest, got := deeds(steps[k+1:]), deeds(stepsIn(again)); !slices.Equal(rest, got) {
				t.Fatalf("asked %+v: after step %d of %v\nthe rest is %v\nand planned is %v", ask, k, deeds(steps), rest, got)
			}
		}
	})
}

// TestPrediction: after every step, the world that is read is the one that was
// predicted.
func TestPrediction(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.asked = rapid.SampledFrom(askings()).Draw(t, "asked at last")
		for _, step := range stepsOf(w.plan()) {
			_, before := w.state()
			after, err := simulate(step, w, false)
			if errors.Is(err, errRefused) {
				return
			}
			if err != nil {
				t.Fatalf("asked %+v: %v", w.asked, err)
			}
			own, ok := step.(plan.Step)
			if !ok {
				w = after
				continue // it is not this connection's
			}
			_, read := after.state()
			predicted := plan.Effect(own, before)
			if isAuthorize(own) {
				if after.sameToken {
					w = after
					continue // the token may have the id and the key of the one before
				}
				predicted.Using, read.Using = nil, nil // workspaces may follow the token
			}
			w = after
			if diff := plantest.Differences(before.Have, predicted.Have, read.Have); len(diff) > 0 {
				t.Fatalf("after %s:\n%s", step, strings.Join(diff, "\n"))
			}
		}
	})
}

// TestTail: the plan after the first steps is the rest of the plan, in what the systems
// do, with what was asked at first.
func TestTail(t *testing.T) {
	thousands(t, func(t *rapid.T) {
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
		steps := stepsIn(changes)
		for k, step := range steps {
			if w, err = simulate(step, w, false); errors.Is(err, errRefused) {
				return // the world is not as predicted
			}
			if err != nil {
				t.Fatal(err)
			}
			if c, err := w.ours(); isAuthorize(step) && (w.sameToken || w.relocates) || err == nil && c.token != nil && c.token.dead {
				return // the token may have the id, the key and the workspaces of the one before; or a repair is hoped to revive it
			}
			want, s := w.state()
			if s.TokenDead {
				return // a repair is hoped to revive it
			}
			again, _, err := plan.Walk(want, s, ask)
			if err != nil {
				t.Fatal(err)
			}
			rest, got := deeds(steps[k+1:]), deeds(stepsIn(again))
			if w.brought { // whether the pair that is brought is there already is seen when it is in Vault
				rest, got = slices.DeleteFunc(rest, givesPair), slices.DeleteFunc(got, givesPair)
			}
			if !slices.Equal(rest, got) {
				t.Fatalf("asked %+v: after step %d of %v\nthe rest is %v\nand planned is %v", ask, k, deeds(steps), rest, got)
			}
		}
	})
}

func givesPair(deed string) bool {
	return deed == "set_consumer" || strings.HasPrefix(deed, "update_client")
}

func isAuthorize(s plan.Step) bool { _, ok := s.(plan.Authorize); return ok }
