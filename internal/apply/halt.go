package apply

import (
	"context"
	"fmt"

	"github.com/bbsync/bbsync/internal/plan"
)

// connections carries the connections' plans out: the canaries first, the rest
// only when all of those came to their end, and what follows another when that
// did.
func (e *executor) connections(ctx context.Context, connections []plan.Connection) []Outcome {
	out := make([]Outcome, len(connections))
	first, rest, after := e.split(connections)
	for _, some := range [][]int{first, rest} {
		e.each(len(some), func(i int) { out[some[i]] = e.connection(ctx, connections[some[i]]) })
		e.canaries(out, first)
	}
	ended := map[string]Status{}
	for _, o := range out {
		ended[o.Address] = o.Status
	}
	e.each(len(after), func(i int) { out[after[i]] = e.follow(ctx, connections[after[i]], ended) })
	return out
}

// split returns which connections are canaries, which are not, and which follow
// another.
func (e *executor) split(connections []plan.Connection) (first, rest, after []int) {
	for i, c := range connections {
		switch {
		case c.After != "":
			after = append(after, i)
		case len(c.Blocks) == 0 && len(c.Changes) > 0 && len(first) < e.opts.Canary:
			first = append(first, i)
		default:
			rest = append(rest, i)
		}
	}
	return first, rest, after
}

// follow carries a plan out when the connection before it came to its end.
func (e *executor) follow(ctx context.Context, c plan.Connection, ended map[string]Status) Outcome {
	before, known := ended[c.After]
	if before == Applied || before == Unchanged || len(c.Blocks) > 0 {
		return e.connection(ctx, c)
	}
	if !known {
		before = "left out"
	}
	return Outcome{Address: c.Address, Status: Later, Left: plan.AnySteps(c.Steps()), Err: fmt.Errorf("%s: not begun, as %s, which goes first, ended as: %s", c.Address, c.After, before)}
}

// canaries halts when one of them did not come to its end. One that waits for a
// person did not, either: had the rest followed, all of them might wait.
func (e *executor) canaries(outcomes []Outcome, which []int) {
	for _, i := range which {
		switch o := outcomes[i]; o.Status {
		case Applied, Unchanged:
		case Broken, Waiting, Stale, Blocked, NotRun, Leased, Later:
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
