package plan_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/plan/plantest"
)

// notYet are edits after which the planner does not keep every law. They are drawn by
// TestEverythingIsDrawn alone.
func notYet() []string {
	return []string{}
}

// TestEverythingIsDrawn: each kind of step is carried out somewhere in the worlds, and
// each edit is made.
func TestEverythingIsDrawn(t *testing.T) {
	all := edits()
	check(t, 5000, func(t *rapid.T) {
		w := settle(t, drawWorld(t))
		for range 6 {
			rapid.SampledFrom(all).Draw(t, "edit").do(&w)
			after, err := run(w, stepsOf(w.plan()), false)
			if err != nil {
				return
			}
			w = after
		}
	})
	seen := drawn.all()
	for _, e := range all {
		if seen["edit: "+e.name] == 0 && !slices.Contains(notYet(), e.name) {
			t.Errorf("nothing was edited as: %s", e.name)
		}
	}
	for _, kind := range slices.DeleteFunc(plantest.ConnectionKinds(t), func(kind string) bool { return kind == "break_lease" }) { // no world has leases
		if seen["step: "+kind] == 0 {
			t.Errorf("no step of kind %s was carried out", kind)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%6d %s", seen[what], what)
	}
}
