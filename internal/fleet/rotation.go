package fleet

import (
	"slices"

	"github.com/bbsync/bbsync/internal/plan"
)

// NotRotated returns the connections of a plan in which nothing of the rotation is
// planned that was asked for: the overlap of an earlier one is under way, the key is
// the user's own, or there is no key to return to. Their notes say which.
func (r *Run) NotRotated(p plan.Plan) []plan.Connection {
	asked := r.Scope.Rotate
	if !asked.SSH && !asked.Consumer && !asked.Rollback {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Connections), func(c plan.Connection) bool {
		return len(c.Blocks) > 0 || slices.ContainsFunc(c.Steps(), func(s plan.Step) bool { return rotates(s, asked) })
	})
}

func rotates(s plan.Step, asked plan.Rotation) bool {
	switch s.(type) {
	case plan.CreateSSHKey, plan.SwitchKey, plan.RestageKey:
		return asked.SSH || asked.Rollback
	case plan.RetireKey: // a staged one, to return to the key before; or the end of an emergency that continues
		return asked.Rollback || asked.Emergency != ""
	case plan.RetireConsumer:
		return asked.Consumer && asked.Emergency != ""
	case plan.CreateConsumerKey, plan.SwapConsumer:
		return asked.Consumer
	default:
		return false
	}
}
