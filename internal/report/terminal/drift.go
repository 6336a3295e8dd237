package terminal

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

// mostDifferences is how many differences a line names: a connection that is not
// there at all has nine, and plan shows them all.
const mostDifferences = 4

// Drift shows a drift report: one line for each Bitbucket and connection that is
// not in sync, and the summary last.
func Drift(d drift.Report, style Style) string {
	w := &driftWriter{Style: style}
	for _, e := range d.Entries() {
		w.entry(e)
	}
	w.inRotation(d.Connections)
	w.deleted(d.Connections)
	for _, warning := range d.Warnings() {
		fmt.Fprintf(w, "%s %s\n", w.paint(yellow, "Warning:"), plaintext.Line(warning.Text))
	}
	for _, s := range d.Missing {
		fmt.Fprintf(w, "%s shard %s: its report is missing\n", w.paint(red, "x"), plaintext.Line(s))
	}
	w.summary(d)
	return w.String()
}

type driftWriter struct {
	strings.Builder
	Style
}

func (w *driftWriter) entry(e drift.Entry) {
	if e.State != plan.StateInSync {
		w.WriteString(driftLine(e, w.Style) + "\n")
	}
}

// mostInRotation is how many keys are named that a rotation has under way: the
// JSON has all.
const mostInRotation = 10

// inRotation reports which keys are there beside the current one, and why. That is no
// drift.
func (w *driftWriter) inRotation(connections []drift.Connection) {
	n := 0
	for _, c := range connections {
		for _, k := range c.Keys {
			if k.Overlap == "" {
				continue
			}
			if n++; n > mostInRotation {
				continue
			}
			until := ""
			if !k.OverlapUntil.IsZero() {
				until = " stays until " + k.OverlapUntil.UTC().Format("2006-01-02 15:04 UTC") + ":"
			}
			fmt.Fprintf(w, "%s %s (%s): the %s SSH key %s%s %s\n", w.paint(cyan, "i"), w.paint(bold, plaintext.Line(c.Address)), plaintext.Line(c.Organization), k.Role, plaintext.Line(k.Fingerprint), until, plaintext.Line(k.Overlap))
		}
	}
	if n > mostInRotation {
		fmt.Fprintf(w, "%s and %d more keys are on their way; --json has all\n", w.paint(cyan, "i"), n-mostInRotation)
	}
}

// deleted names the connections whose records Vault deletes by itself.
func (w *driftWriter) deleted(connections []drift.Connection) {
	for _, c := range connections {
		if !c.RecordDeleted.IsZero() {
			fmt.Fprintf(w, "%s %s (%s): Vault deletes its record, with its keys, on %s: delete_version_after is set on the mount or the secret; bbsync plan says what to do\n",
				w.paint(yellow, "w"), w.paint(bold, plaintext.Line(c.Address)), plaintext.Line(c.Organization), c.RecordDeleted.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
}

// DriftLine returns what drift reports of a connection or a Bitbucket, without
// colours.
func DriftLine(e drift.Entry) string { return driftLine(e, Style{}) }

func driftLine(e drift.Entry, style Style) string {
	sign, code := driftSign(e.State)
	line := fmt.Sprintf("%s %s (%s): ", style.paint(code, sign), style.paint(bold, plaintext.Line(e.Address)), plaintext.Line(e.Where))
	switch e.State {
	case plan.StateChanges:
	case plan.StateInSync:
		return line + plaintext.Line(e.State.String())
	case plan.StateUnreadable, plan.StateRefused, plan.StateLeased, plan.StateWaiting:
		line += plaintext.Line(e.State.String()) + ": "
	}
	return line + plaintext.Line(describe(e.Differences, e.Blocks))
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
	case plan.StateInSync:
		return "=", green
	case plan.StateUnreadable, plan.StateRefused:
	}
	return "x", red
}

// describe says what differs, or why that cannot be said.
func describe(differences []drift.Difference, blocks []drift.Block) string {
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
		parts = append(parts, fmt.Sprintf("%s: %s → %s%s", d.What, cmp.Or(d.Live, "none"), cmp.Or(d.Want, "none"), inFiles(d.At)))
	}
	return strings.Join(parts, "; ")
}

func inFiles(p sourcepos.Position) string {
	if p.File == "" {
		return ""
	}
	return " (" + p.String() + ")"
}

// DriftSummary returns the last line of a drift report.
func DriftSummary(d drift.Report) string {
	w := &driftWriter{}
	w.summary(d)
	return strings.TrimSpace(w.String())
}

func (w *driftWriter) summary(d drift.Report) {
	s := d.Summary
	name := "Fleet " + plaintext.Line(d.Fleet)
	if d.Shard != "" {
		name += ", shard " + plaintext.Line(d.Shard)
	}
	fmt.Fprintf(w, "%s: %s", name, planview.Count(s.Connections, "connection"))
	sep := ": "
	for _, x := range []struct {
		state plan.State
		word  string
	}{
		{plan.StateChanges, "drifted"},
		{plan.StateWaiting, plan.StateWaiting.String()},
		{plan.StateRefused, plan.StateRefused.String()},
		{plan.StateUnreadable, plan.StateUnreadable.String()},
		{plan.StateLeased, plan.StateLeased.String()},
		{plan.StateInSync, plan.StateInSync.String()},
	} {
		if n := s.States[x.state]; n > 0 {
			fmt.Fprintf(w, "%s%d %s", sep, n, x.word)
			sep = ", "
		}
	}
	if s.Shared > 0 {
		fmt.Fprintf(w, "; shared: %s", planview.Count(s.Shared, "difference"))
	}
	w.WriteString(".\n")
}
