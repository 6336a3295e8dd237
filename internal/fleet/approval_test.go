package fleet_test

import (
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
)

func planned(address string, steps ...plan.Step) plan.Connection {
	c := plan.Connection{Target: plan.Target{Address: address}}
	for _, s := range steps {
		c.Changes = append(c.Changes, plan.Change{Step: s})
	}
	return c
}

// TestAsLeft: what an apply had left when it began to wait was approved then, and no
// other kind of step, and nothing of another connection.
func TestAsLeft(t *testing.T) {
	before := apply.Result{Connections: []apply.Outcome{
		{Address: "a", Left: []plan.AnyStep{plan.Authorize{}, plan.SetTokenKey{}}},
		{Address: "b", Left: []plan.AnyStep{plan.Authorize{}}},
	}}
	approved := fleet.AsLeft(plan.Plan{Fleet: "main", Connections: []plan.Connection{
		planned("a", plan.SetTokenKey{}),
		planned("b", plan.SetTokenKey{}), // approved of a only
		planned("c", plan.Authorize{}),
	}}, before)
	if len(approved.Plan.Connections) != 1 || approved.Plan.Connections[0].Address != "a" || approved.Plan.Fleet != "main" {
		t.Errorf("approved: %+v", approved.Plan)
	}
	var outdated []string
	for _, o := range approved.Outdated {
		if o.Status != apply.Stale || o.Err == nil || len(o.Left) == 0 {
			t.Errorf("%+v", o)
		}
		outdated = append(outdated, o.Address)
	}
	if strings.Join(outdated, " ") != "b c" {
		t.Errorf("outdated: %v, want b and c", outdated)
	}
}
