package report

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plan"
)

// PlanOptions say how much of a plan is shown.
type PlanOptions struct {
	Style
	Verbose bool // every connection whole; else alike ones are grouped
}

// Plan shows a plan: what waits for a person first, then what cannot be done,
// then the changes with their reasons, and the summary last.
func Plan(p plan.Plan, opts PlanOptions) string {
	w := &planWriter{PlanOptions: opts}
	for _, state := range []plan.State{plan.StateWaiting, plan.StateUnreadable, plan.StateRefused, plan.StateLeased} {
		w.connections(p, state)
	}
	for _, b := range p.Bitbuckets {
		w.bitbucket(b)
	}
	w.connections(p, plan.StateChanges)
	w.inSync(p)
	w.WriteString(w.summary(p))
	return w.String()
}

type planWriter struct {
	strings.Builder
	PlanOptions
}

func (w *planWriter) line(indent int, format string, args ...any) {
	w.WriteString(strings.Repeat("  ", indent))
	w.WriteString(Safe(fmt.Sprintf(format, args...)))
	w.WriteByte('\n')
}

// rawLine writes a line that has colours in it; its parts are safe already.
func (w *planWriter) rawLine(indent int, parts ...string) {
	w.WriteString(strings.Repeat("  ", indent))
	for _, part := range parts {
		w.WriteString(part)
	}
	w.WriteByte('\n')
}

// connections shows those in one state, alike ones together.
func (w *planWriter) connections(p plan.Plan, state plan.State) {
	for _, group := range groups(p.Connections, state, w.Verbose) {
		first := group[0]
		w.heading(Safe(first.Address), state, first.At)
		w.body(first.Changes, first.Blocks, first.Notes)
		if rest := group[1:]; len(rest) > 0 {
			w.rawLine(1, w.paint(bold, fmt.Sprintf("and %d more, alike:", len(rest))), " ", Safe(addresses(rest)))
		}
		w.WriteByte('\n')
	}
}

func (w *planWriter) heading(name string, state plan.State, at hcl.Range) {
	w.rawLine(0, w.paint(bold, name), ": ", w.state(state), w.where(at))
}

func (w *planWriter) where(at hcl.Range) string {
	if at.Filename == "" {
		return ""
	}
	return w.paint(dim, fmt.Sprintf("  (%s)", place(at)))
}

func place(at hcl.Range) string {
	return fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Start.Line)
}

func (w *planWriter) body(changes []plan.Change, blocks []plan.Block, notes []plan.Note) {
	for _, b := range blocks {
		w.rawLine(1, w.paint(red, "x"), " ", Safe(b.Text), w.where(b.At))
		if b.Remedy != "" {
			w.line(3, "%s", b.Remedy)
		}
	}
	if len(blocks) == 0 {
		w.changes(changes)
	}
	for _, n := range notes {
		sign, code := "i", cyan
		if n.Warning {
			sign, code = "w", yellow
		}
		w.rawLine(1, w.paint(code, sign), " ", Safe(n.Text), w.where(n.At))
	}
}

func (w *planWriter) changes(changes []plan.Change) {
	for _, c := range changes {
		w.rawLine(1, w.symbol(c.Step.Symbol()), " ", Safe(c.Step.String()))
		for _, r := range c.Because {
			w.rawLine(3, w.paint(dim, Safe(fmt.Sprintf("%s: live %s, want %s", r.What, orNone(r.Live), orNone(r.Want)))), w.where(r.At))
		}
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func (w *planWriter) bitbucket(b plan.BitbucketPlan) {
	if len(b.Changes)+len(b.Blocks)+len(b.Notes) == 0 {
		return
	}
	w.heading("bitbucket."+b.Label+", for all its connections", b.State(), hcl.Range{})
	w.body(b.Changes, b.Blocks, b.Notes)
	w.WriteByte('\n')
}

// inSync names nothing but what there is to know of connections in sync.
func (w *planWriter) inSync(p plan.Plan) {
	for _, c := range p.Connections {
		if c.State() == plan.StateInSync && len(c.Notes) > 0 {
			w.heading(Safe(c.Address), plan.StateInSync, c.At)
			w.body(nil, nil, c.Notes)
			w.WriteByte('\n')
		}
	}
}

// groups returns the connections in a state; those whose steps and reasons are
// of the same kinds are one group, in the order of the first.
func groups(connections []plan.Connection, state plan.State, verbose bool) [][]plan.Connection {
	var out [][]plan.Connection
	index := map[string]int{}
	for _, c := range connections {
		if c.State() != state {
			continue
		}
		key := c.Address
		if !verbose {
			key = shape(c)
		}
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

// shape names what kinds of steps, reasons, blocks and notes a plan has.
func shape(c plan.Connection) string {
	var b strings.Builder
	b.WriteString(c.Bitbucket)
	for _, change := range c.Changes {
		fmt.Fprintf(&b, "|%T", change.Step)
		for _, r := range change.Because {
			b.WriteString("," + r.What)
		}
	}
	for _, block := range c.Blocks {
		fmt.Fprintf(&b, "|%s %s", block.Kind, strings.ReplaceAll(block.Text, c.Organization, ""))
	}
	fmt.Fprintf(&b, "|%d", len(c.Notes))
	return b.String()
}

// addresses shortens a list of addresses that share a block.
func addresses(connections []plan.Connection) string {
	const most = 8
	names := make([]string, 0, most+1)
	for i, c := range connections {
		if i == most {
			names = append(names, fmt.Sprintf("... and %d more (--verbose shows all)", len(connections)-most))
			break
		}
		names = append(names, c.Address)
	}
	return strings.Join(names, ", ")
}

func (w *planWriter) summary(p plan.Plan) string {
	s := p.Summary()
	if s.States[plan.StateInSync] == s.Connections && s.Steps == 0 {
		return w.paint(green, fmt.Sprintf("In sync: %s.", count(s.Connections, "connection"))) + "\n"
	}
	var parts []string
	for _, state := range []plan.State{plan.StateChanges, plan.StateWaiting, plan.StateRefused, plan.StateUnreadable, plan.StateLeased, plan.StateInSync} {
		if n := s.States[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, w.state(state)))
		}
	}
	text := fmt.Sprintf("%s: %s", w.paint(bold, count(s.Connections, "connection")), strings.Join(parts, ", "))
	if s.Steps > 0 {
		text += fmt.Sprintf(". %s planned", count(s.Steps, "step"))
		if s.Shared > 0 {
			text += fmt.Sprintf(", %d of them shared", s.Shared)
		}
	}
	return text + ".\n"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
