package fleet

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
)

// An Approval is the part of a plan that may be carried out, and the connections
// that may not because they are not as approved.
type Approval struct {
	Plan     plan.Plan
	Outdated []apply.Outcome
}

// Everything approves a plan as it was shown.
func Everything(p plan.Plan) Approval { return Approval{Plan: p} }

// AsSaved approves what is exactly as in a plan file.
func AsSaved(p plan.Plan, saved *plan.Saved) Approval {
	approved, outdated := saved.Approved(p)
	out := Approval{Plan: approved}
	for _, o := range outdated {
		out.Outdated = append(out.Outdated, apply.Outcome{
			Address: o.Address, Status: apply.Stale, Left: o.Steps,
			Err: fmt.Errorf("%s: not as in the plan file: %s; it was not changed, plan again", o.Address, o.Why),
		})
	}
	return out
}

// AsLeft approves connections whose steps are of the kinds that an apply had left
// when it began to wait: those were shown and approved then.
func AsLeft(p plan.Plan, before apply.Result) Approval {
	kinds := map[string]bool{}
	for _, o := range before.Connections {
		for _, step := range o.Left {
			kinds[o.Address+" "+step.Type().Kind] = true
		}
	}
	out := Approval{Plan: plan.Plan{Fleet: p.Fleet}}
	for _, c := range p.Connections {
		same := true
		for _, step := range c.Steps() {
			same = same && kinds[c.Address+" "+step.Type().Kind]
		}
		if same {
			out.Plan.Connections = append(out.Plan.Connections, c)
			continue
		}
		out.Outdated = append(out.Outdated, apply.Outcome{
			Address: c.Address, Status: apply.Stale, Left: plan.AnySteps(c.Steps()),
			Err: fmt.Errorf("%s changed while it waited; run bbsync plan to see how", c.Address),
		})
	}
	return out
}
