package terminal

import (
	"errors"
	"testing"

	"github.com/bbsync/bbsync/internal/apply"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

func TestResultText(t *testing.T) {
	r := reporttest.Result()
	many := r.Connections[2]
	for i := range 9 {
		o := many
		o.Address = reporttest.Connection("x" + string(rune('0'+i))).Address
		o.Err = errors.New(o.Address + ": prove: 403 Forbidden (request 12345678-1234-4234-8234-12345678901" + string(rune('0'+i)) + ")")
		r.Connections = append(r.Connections, o)
	}
	reporttest.Golden(t, "result.txt", Result(r, Options{Style: Style{Width: 100}}))
}

// The counts are of connections: a Bitbucket that needed nothing is not one that
// was left unchanged among them.
func TestResultCounts(t *testing.T) {
	steps := []plan.AnyStep{plan.ProveConsumer{}}
	r := apply.Result{
		Connections: []apply.Outcome{{Status: apply.Applied, Done: steps}, {Status: apply.Unchanged}},
		Bitbuckets:  []apply.Outcome{{Status: apply.Unchanged}},
	}
	if have, want := Result(r, Options{Style: Style{Width: 100}}), "1 step done: 1 applied, 1 unchanged.\n"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
	if have, want := Result(apply.Result{}, Options{Style: Style{Width: 100}}), "0 steps done.\n"; have != want {
		t.Errorf("of a saved plan with nothing left: have %q, want %q", have, want)
	}
	r.Bitbuckets = append(r.Bitbuckets, apply.Outcome{Status: apply.Applied, Done: steps})
	if have, want := Result(r, Options{Style: Style{Width: 100}}), "2 steps done: 1 applied, 1 unchanged; Bitbuckets: 1 applied.\n"; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
}
