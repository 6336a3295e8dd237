package fleet

import "github.com/bbsync/bbsync/internal/plan"

// Again returns the run for the plan after this one.
func (r *Run) Again(before plan.Plan) *Run { return r.after(before) }
