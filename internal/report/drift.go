package report

import (
	"fmt"
	"path"
	"strings"

	"github.com/bbsync/bbsync/internal/plan"
)

// mostDifferences is how many differences a line names: a connection that is not
// there at all has nine, and plan shows them all.
const mostDifferences = 4

// Render returns the report in one of its own formats; ok is false for those that
// are of a plan only.
func (d Drift) Render(format Format, style Style) (text string, ok bool, err error) {
	switch format {
	case Text:
		return d.Text(style), true, nil
	case AsJSON:
		text, err = JSON(d)
		return text, true, err
	}
	return "", false, nil
}

// Text shows a drift report: one line for each Bitbucket and connection that is
// not in sync, and the summary last.
func (d Drift) Text(style Style) string {
	w := &driftWriter{Style: style}
	for _, b := range d.Bitbuckets {
		w.entry("bitbucket."+b.Label, b.URL, b.State, b.Differences, b.Blocks)
	}
	for _, c := range d.Connections {
		w.entry(c.Address, c.Organization, c.State, c.Differences, c.Blocks)
	}
	for _, s := range d.Missing {
		fmt.Fprintf(w, "%s shard %s: its report is missing\n", w.paint(red, "x"), s)
	}
	w.summary(d)
	return w.String()
}

type driftWriter struct {
	strings.Builder
	Style
}

func (w *driftWriter) entry(name, where, stateName string, differences []Difference, blocks []DriftBlock) {
	state := stateNamed(stateName)
	if state == plan.StateInSync {
		return
	}
	sign, code := driftSign(state)
	fmt.Fprintf(w, "%s %s (%s): ", w.paint(code, sign), w.paint(bold, Safe(name)), Safe(where))
	if state != plan.StateChanges {
		fmt.Fprintf(w, "%s: ", state)
	}
	w.WriteString(oneLine(saying(differences, blocks)) + "\n")
}

// stateNamed is the opposite of StateName.
func stateNamed(name string) plan.State {
	for _, state := range states() {
		if StateName(state) == name {
			return state
		}
	}
	return plan.State(name)
}

// driftSign is a state's sign, so that colour only repeats it.
func driftSign(state plan.State) (sign, code string) {
	switch state {
	case plan.StateChanges:
		return "~", yellow
	case plan.StateWaiting:
		return "!", yellow
	case plan.StateLeased:
		return "i", cyan
	case plan.StateInSync, plan.StateUnreadable, plan.StateRefused:
	}
	return "x", red
}

// saying tells what differs, or why that cannot be said.
func saying(differences []Difference, blocks []DriftBlock) string {
	var parts []string
	for _, b := range blocks {
		parts = append(parts, b.Text+inFiles(b.At))
	}
	if len(blocks) > 0 {
		return strings.Join(parts, "; ")
	}
	for i, d := range differences {
		if i == mostDifferences {
			parts = append(parts, fmt.Sprintf("and %d more (bbsync plan shows all)", len(differences)-i))
			break
		}
		parts = append(parts, d.String())
	}
	return strings.Join(parts, "; ")
}

// String is the difference as a line has it: live → want, and where the files
// say so.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s → %s%s", d.What, d.Live, d.Want, inFiles(d.At))
}

func inFiles(p PlaceDocument) string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", path.Base(p.File), p.Line)
}

// oneLine keeps another system's line breaks from making a line of their own.
func oneLine(text string) string {
	return Safe(strings.Join(strings.Fields(text), " "))
}

func (w *driftWriter) summary(d Drift) {
	s := d.Summary
	name := "Fleet " + d.Fleet
	if d.Shard != "" {
		name += ", shard " + d.Shard
	}
	fmt.Fprintf(w, "%s: %s", name, count(s.Connections, "connection"))
	sep := ": "
	for _, x := range []struct {
		state plan.State
		word  string
	}{
		{plan.StateChanges, "drifted"},
		{plan.StateWaiting, string(plan.StateWaiting)},
		{plan.StateRefused, string(plan.StateRefused)},
		{plan.StateUnreadable, string(plan.StateUnreadable)},
		{plan.StateLeased, string(plan.StateLeased)},
		{plan.StateInSync, string(plan.StateInSync)},
	} {
		if n := s.States[StateName(x.state)]; n > 0 {
			fmt.Fprintf(w, "%s%d %s", sep, n, x.word)
			sep = ", "
		}
	}
	if s.Shared > 0 {
		fmt.Fprintf(w, "; shared: %s", count(s.Shared, "difference"))
	}
	w.WriteString(".\n")
}
