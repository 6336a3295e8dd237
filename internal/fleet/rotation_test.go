package fleet_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/fleet"
	"github.com/bbsync/bbsync/internal/plan"
)

// TestNotRotated: the end of a rotation that was asked for before is none, but for the end
// of an emergency, which asking again continues.
func TestNotRotated(t *testing.T) {
	retire := []plan.Step{plan.RetireKey{Role: plan.Previous}}
	for name, c := range map[string]struct {
		asked plan.Rotation
		steps []plan.Step
		want  int
	}{
		"nothing asked":                  {plan.Rotation{}, nil, 0},
		"a new key":                      {plan.Rotation{SSH: true}, []plan.Step{plan.CreateSSHKey{}}, 0},
		"nothing planned":                {plan.Rotation{SSH: true}, nil, 1},
		"the end of an overlap":          {plan.Rotation{SSH: true}, retire, 1},
		"the end of an emergency":        {plan.Rotation{SSH: true, Emergency: "stolen"}, retire, 0},
		"a staged key is dropped":        {plan.Rotation{Rollback: true}, retire, 0},
		"another pair":                   {plan.Rotation{Consumer: true}, []plan.Step{plan.SwapConsumer{}}, 0},
		"the end of a pair":              {plan.Rotation{Consumer: true}, []plan.Step{plan.RetireConsumer{}}, 1},
		"the end of a compromised pair":  {plan.Rotation{Consumer: true, Emergency: "stolen"}, []plan.Step{plan.RetireConsumer{}}, 0},
		"a pair, when a key was asked":   {plan.Rotation{SSH: true}, []plan.Step{plan.SwapConsumer{}}, 1},
		"an SSH key, when a pair is due": {plan.Rotation{Consumer: true}, []plan.Step{plan.CreateSSHKey{}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := &fleet.Run{Scope: fleet.Scope{Rotate: c.asked}}
			var changes []plan.Change
			for _, s := range c.steps {
				changes = append(changes, plan.Change{Step: s})
			}
			if got := r.NotRotated(plan.Plan{Connections: []plan.Connection{{Changes: changes}}}); len(got) != c.want {
				t.Errorf("%d connections are not rotated, want %d", len(got), c.want)
			}
		})
	}
}
