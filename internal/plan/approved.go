package plan

import (
	"cmp"
	"fmt"
	"reflect"
)

// Outdated is a connection, or a Bitbucket, that is not as in the plan file.
type Outdated struct {
	Address string
	Why     string
	Steps   []AnyStep // of now
}

// Approved returns what of p is exactly as in the file, and what is not: that was
// not approved and must not run. Both come in the order of p.
//
// What cannot be planned now stays in the plan, as nothing of it will run and its
// own block says why better than a comparison could. What is in sync now was done
// in the meantime. A connection that needs a step of a Bitbucket that is not as in
// the file is not run either.
func (s Saved) Approved(p Plan) (Plan, []Outdated) {
	a := approval{entries: map[string]Entry{}, missing: map[GrantPermission]bool{}}
	for _, entries := range [][]Entry{s.Bitbuckets, s.Connections} {
		for _, e := range entries {
			a.entries[e.Address] = e
		}
	}
	out := Plan{Fleet: p.Fleet}
	for _, b := range p.Bitbuckets {
		if a.has(b.entry(), AnySteps(b.Steps())) {
			out.Bitbuckets = append(out.Bitbuckets, b)
		} else {
			a.miss(b.Steps())
		}
	}
	for _, c := range p.Connections {
		if a.has(c.entry(), AnySteps(c.Steps())) && a.hasNeeds(c) {
			out.Connections = append(out.Connections, c)
		}
	}
	for _, entries := range [][]Entry{s.Bitbuckets, s.Connections} {
		for _, e := range entries {
			a.gone(e)
		}
	}
	return out, a.outdated
}

// An approval compares a plan with the entries of a file, each of which it drops
// when it was compared.
type approval struct {
	entries  map[string]Entry
	missing  map[GrantPermission]bool // steps of Bitbuckets that are not run
	outdated []Outdated
}

// has reports whether what is planned now may stay in the plan.
func (a *approval) has(now Entry, steps []AnyStep) bool {
	planned, known := a.entries[now.Address]
	delete(a.entries, now.Address)
	if len(now.Blocks) > 0 || len(steps) == 0 {
		return known
	}
	if !known {
		a.refuse(now.Address, "it is not in the plan file", steps)
		return false
	}
	if why := planned.difference(now); why != "" {
		a.refuse(now.Address, why, steps)
		return false
	}
	return true
}

func (a *approval) miss(steps []SharedStep) {
	for _, s := range steps {
		if g, ok := s.(GrantPermission); ok {
			a.missing[g] = true
		}
	}
}

// hasNeeds reports whether no step that the connection needs is left out.
func (a *approval) hasNeeds(c Connection) bool {
	if len(c.Blocks) > 0 || len(c.Changes) == 0 {
		return true
	}
	for _, g := range c.Needs {
		if a.missing[g] {
			a.refuse(c.Address, fmt.Sprintf("it needs a step that is not in the plan file: %s", g), AnySteps(c.Steps()))
			return false
		}
	}
	return true
}

// gone refuses what had steps and is not in the plan any more.
func (a *approval) gone(planned Entry) {
	if _, left := a.entries[planned.Address]; left && len(planned.Steps) > 0 {
		a.refuse(planned.Address, "it was planned, and is not in the plan of this run", nil)
	}
}

func (a *approval) refuse(address, why string, steps []AnyStep) {
	a.outdated = append(a.outdated, Outdated{Address: address, Why: why, Steps: steps})
}

// difference says what is not as planned, "" for nothing. Notes are not compared:
// they are no steps, and some of them change with every login.
func (planned Entry) difference(now Entry) string {
	planned.Notes, now.Notes = nil, nil
	if reflect.DeepEqual(planned, now) {
		return ""
	}
	if planned.State != now.State {
		return fmt.Sprintf("%s when planned, %s now", planned.State.words(), now.State.words())
	}
	for i := range max(len(planned.Steps), len(now.Steps)) {
		was, is := planned.step(i), now.step(i)
		if was.Text != is.Text {
			return fmt.Sprintf("step %d when planned: %s; now: %s", i+1, cmp.Or(was.Text, "none"), cmp.Or(is.Text, "none"))
		}
		if !reflect.DeepEqual(was.Reasons, is.Reasons) {
			return fmt.Sprintf("the reasons for step %d (%s) are not as planned", i+1, is.Text)
		}
	}
	return "the steps act on other objects than planned"
}

// step returns a step of the entry, an empty one beyond the last.
func (planned Entry) step(i int) SavedStep {
	if i < len(planned.Steps) {
		return planned.Steps[i]
	}
	return SavedStep{}
}
