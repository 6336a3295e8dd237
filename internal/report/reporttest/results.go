package reporttest

import (
	"errors"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
)

// Result is an apply that ended in every way.
func Result() apply.Result {
	step := plan.ProveConsumer{}
	var r apply.Result
	for i, status := range apply.Statuses() {
		o := apply.Outcome{Address: Connection(string(rune('a' + i))).Address, Status: status}
		switch status {
		case apply.Applied:
			o.Done = []plan.AnyStep{step, step}
		case apply.Waiting:
			o.Done, o.Left = []plan.AnyStep{step}, []plan.AnyStep{step}
			o.Wait = &apply.Wait{Address: o.Address, Organization: "b", Client: "Bitbucket", User: "svc", Bitbucket: "https://b", URL: "https://t/auth", Why: "the token is of another user"}
		case apply.Broken, apply.Blocked, apply.Stale, apply.Leased:
			o.Left, o.Err = []plan.AnyStep{step, step}, errors.New("403 Forbidden")
		case apply.NotRun, apply.Later, apply.Unchanged:
		}
		r.Connections = append(r.Connections, o)
	}
	return r
}
