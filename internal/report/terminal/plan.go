package terminal

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

// Options say how much of a plan or a result is shown.
type Options struct {
	Style
	Verbose bool // every connection; else identical ones are grouped
}

// Plan shows a plan: what waits for a person first, then what cannot be done,
// then the changes with their reasons, and the summary last.
func Plan(p plan.Plan, opts Options) string {
	w := &planWriter{lineWriter: lineWriter{Style: opts.Style}, Grouper: planview.NewGrouper(), verbose: opts.Verbose}
	for _, state := range []plan.State{plan.StateWaiting, plan.StateUnreadable, plan.StateRefused, plan.StateLeased} {
		w.connections(p, state)
	}
	for _, b := range p.Bitbuckets {
		w.bitbucket(b)
	}
	w.connections(p, plan.StateChanges)
	w.inSync(p)
	w.warnings(p)
	w.summary(p.Summary())
	return w.String()
}

// warnings shows what ends soon.
func (w *planWriter) warnings(p plan.Plan) {
	for _, warning := range p.Warnings {
		w.line(0, 2, span{yellow, "Warning:"}, span{"", " " + warning.Text})
	}
	if len(p.Warnings) > 0 {
		w.blank()
	}
}

type planWriter struct {
	lineWriter
	*planview.Grouper
	verbose bool
}

// connections shows those in one state, alike ones together.
func (w *planWriter) connections(p plan.Plan, state plan.State) {
	for _, g := range w.Groups(p.Connections, state, w.verbose) {
		w.group(g, state)
	}
}

// group shows one connection whole, and names those that are like it.
func (w *planWriter) group(g planview.Group, state plan.State) {
	first, rest := g.Members[0], g.Members[1:]
	if len(rest) > 0 {
		w.line(0, 2, span{bold, planview.Count(len(g.Members), "connection") + ": " + g.Sameness()}, span{dim, ", as of the first"})
	}
	w.line(0, 2, span{bold, first.Address}, span{"", ": "}, w.stateSpan(state), where(sourcepos.Of(first.At)))
	for i, e := range g.Lines {
		after := ""
		if g.Variants[i] > 1 {
			after = fmt.Sprintf("  [differs among them: %d kinds; --verbose shows each]", g.Variants[i])
		}
		if e.Sign != "" && e.At == sourcepos.Of(first.At) {
			e.At = sourcepos.Position{} // the heading has it
		}
		w.planLine(e, after)
	}
	w.ages(first)
	if len(rest) > 0 {
		w.line(2, 4, span{bold, fmt.Sprintf("and %d more, alike:", len(rest))}, span{"", " " + planview.AddressList(g.Addresses()[1:])})
	}
	w.blank()
}

// ages shows how old the keys are, when they are due, and which stay and why.
func (w *planWriter) ages(c plan.Connection) {
	if !w.verbose {
		return
	}
	for _, a := range c.Ages {
		w.line(2, 4, span{dim, a.String()})
	}
}

func (w *planWriter) bitbucket(b plan.BitbucketPlan) {
	if len(b.Changes)+len(b.Blocks)+len(b.Notes) == 0 {
		return
	}
	w.line(0, 2, span{bold, "bitbucket." + b.Label + ", for all its connections"}, span{"", ": "}, w.stateSpan(b.State()))
	for _, e := range planview.Lines(b.Changes, b.Blocks, b.Notes, w.verbose) {
		w.planLine(e, "")
	}
	w.blank()
}

// inSync names nothing but what there is to know of connections in sync.
func (w *planWriter) inSync(p plan.Plan) {
	var noted []plan.Connection
	for _, c := range p.Connections {
		if len(c.Notes) > 0 || w.verbose && len(c.Ages) > 0 {
			noted = append(noted, c)
		}
	}
	for _, g := range w.Groups(noted, plan.StateInSync, w.verbose) {
		w.group(g, plan.StateInSync)
	}
}

// nothingDescribed follows the summary of no connections at all, which may be a
// list that came out empty by mistake.
const nothingDescribed = " There was none to look at: the files, or this shard of them, describe no connection; " +
	"plan --prune shows what the fleet has records of."

// Summary returns the last line of a plan.
func Summary(s plan.Summary) string {
	w := &planWriter{}
	w.summary(s)
	return w.String()
}

func (w *planWriter) summary(s plan.Summary) {
	if s.Connections == 0 && s.Steps == 0 {
		w.line(0, 2, span{yellow, "In sync: 0 connections."}, span{"", nothingDescribed})
		return
	}
	if s.States[plan.StateInSync] == s.Connections && s.Steps == 0 {
		w.line(0, 2, span{green, "In sync: " + planview.Count(s.Connections, "connection") + "."})
		return
	}
	spans := []span{{bold, planview.Count(s.Connections, "connection")}, {"", ": "}}
	for _, state := range plan.States() {
		if n := s.States[state]; n > 0 {
			if len(spans) > 2 {
				spans = append(spans, span{"", ", "})
			}
			spans = append(spans, span{"", fmt.Sprintf("%d ", n)}, w.countedSpan(state))
		}
	}
	text := ""
	if s.Steps > 0 {
		text = fmt.Sprintf(". %s planned", planview.Count(s.Steps, "step"))
		if s.Shared > 0 {
			text += fmt.Sprintf(", %d of them shared", s.Shared)
		}
	}
	spans = append(spans, span{"", text + "."})
	if s.Persons > 0 {
		spans = append(spans, span{yellow, fmt.Sprintf(" %s a person's step (!).", needs(s.Persons))})
	}
	w.line(0, 2, spans...)
}

func needs(n int) string {
	if n == 1 {
		return "1 needs"
	}
	return fmt.Sprintf("%d need", n)
}

// countedSpan is a state as it reads after a number.
func (w *planWriter) countedSpan(state plan.State) span {
	return span{w.stateSpan(state).code, planview.StateAfterNumber(state)}
}
