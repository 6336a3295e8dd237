package apply

import (
	"context"
	"fmt"

	"github.com/bbsync/bbsync/internal/plan"
)

// connections carries the connections' plans out: the canaries first, and the
// rest only when all of those came to their end.
func (e *executor) connections(ctx context.Context, connections []plan.Connection) []Outcome {
	out := make([]Outcome, len(connections))
	first, rest := e.split(connections)
	for _, some := range [][]int{first, rest} {
		e.each(len(some), func(i int) { out[some[i]] = e.connection(ctx, connections[some[i]]) })
		e.canaries(out, first)
	}
	return out
}

// split returns which connections are canaries, and which are not.
func (e *executor) split(connections []plan.Connection) (first, rest []int) {
	for i, c := range connections {
		if len(c.Blocks) == 0 && len(c.Changes) > 0 && len(first) < e.opts.Canary {
			first = append(first, i)
		} else {
			rest = append(rest, i)
		}
	}
	return first, rest
}

// canaries halts when one of them did not come to its end. One that waits for a
// person did not, either: had the rest followed, all of them might wait.
func (e *executor) canaries(outcomes []Outcome, which []int) {
	for _, i := range which {
		switch o := outcomes[i]; o.Status {
		case Applied, Unchanged:
		case Broken, Waiting, Stale, Blocked, NotRun:
			e.halt(fmt.Sprintf("%s, which goes first, ended as: %s", o.Address, o.Status))
		}
	}
}

// count counts a failure, and halts when it was one too many.
func (e *executor) count(o Outcome) {
	if o.Status != Broken || e.opts.MaxFailures == 0 {
		return
	}
	e.mu.Lock()
	e.failures++
	reached := e.failures >= e.opts.MaxFailures
	e.mu.Unlock()
	if reached {
		e.halt(fmt.Sprintf("%d connections failed, which is as many as --max-failures allows", e.opts.MaxFailures))
	}
}

// halt lets no connection begin any more. Those under way go on to their end.
func (e *executor) halt(why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.halted == "" {
		e.halted = why
	}
}

func (e *executor) isHalted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.halted != ""
}
