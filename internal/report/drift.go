package report

import (
	"fmt"
	"path"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
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
	case Markdown, MarkdownBitbucket, SARIF, JUnit, GitHub, CodeInsights, HTML, DOT, Mermaid, SVG:
	}
	return "", false, nil
}

// Text shows a drift report: one line for each Bitbucket and connection that is
// not in sync, and the summary last.
func (d Drift) Text(style Style) string {
	w := &driftWriter{Style: style}
	for _, e := range d.Entries() {
		w.entry(e)
	}
	w.soaking(d.Connections)
	w.deleted(d.Connections)
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

func (w *driftWriter) entry(e DriftEntry) {
	if e.State != plan.StateInSync {
		w.WriteString(e.line(w.Style) + "\n")
	}
}

// mostSoaking is how many keys are named that a rotation has under way: the
// JSON has all.
const mostSoaking = 10

// soaking tells which keys are there beside the current one, and why. That is no
// drift.
func (w *driftWriter) soaking(connections []DriftConnection) {
	n := 0
	for _, c := range connections {
		for _, k := range c.Keys {
			if k.Soak == "" {
				continue
			}
			if n++; n > mostSoaking {
				continue
			}
			until := ""
			if !k.SoakUntil.IsZero() {
				until = " soaks until " + k.SoakUntil.UTC().Format("2006-01-02 15:04 UTC") + ":"
			}
			fmt.Fprintf(w, "%s %s (%s): the %s SSH key %s%s %s\n", w.paint(cyan, "i"), w.paint(bold, plaintext.Line(c.Address)), plaintext.Line(c.Organization), k.Role, plaintext.Line(k.Fingerprint), until, plaintext.Line(k.Soak))
		}
	}
	if n > mostSoaking {
		fmt.Fprintf(w, "%s and %d more keys are on their way; --json has all\n", w.paint(cyan, "i"), n-mostSoaking)
	}
}

// deleted names the connections whose records Vault deletes by itself.
func (w *driftWriter) deleted(connections []DriftConnection) {
	for _, c := range connections {
		if !c.RecordDeleted.IsZero() {
			fmt.Fprintf(w, "%s %s (%s): Vault deletes its record, with its keys, on %s: delete_version_after is set on the mount or the secret; bbsync plan says what to do\n",
				w.paint(yellow, "w"), w.paint(bold, plaintext.Line(c.Address)), plaintext.Line(c.Organization), c.RecordDeleted.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
}

// A DriftEntry is a connection, or a Bitbucket for all of its connections, as a
// line tells of it.
type DriftEntry struct {
	Name        string // address
	Where       string // the organization, the Bitbucket's URL
	State       plan.State
	Differences []Difference
	Blocks      []DriftBlock
}

// Entries returns the Bitbuckets and the connections.
func (d Drift) Entries() []DriftEntry {
	out := make([]DriftEntry, 0, len(d.Bitbuckets)+len(d.Connections))
	for _, b := range d.Bitbuckets {
		out = append(out, DriftEntry{"bitbucket." + b.Label, b.URL, stateNamed(b.State), b.Differences, b.Blocks})
	}
	for _, c := range d.Connections {
		out = append(out, DriftEntry{c.Address, c.Organization, stateNamed(c.State), c.Differences, c.Blocks})
	}
	return out
}

// String is the entry's line, without its end.
func (e DriftEntry) String() string { return e.line(Style{}) }

func (e DriftEntry) line(style Style) string {
	sign, code := driftSign(e.State)
	line := fmt.Sprintf("%s %s (%s): ", style.paint(code, sign), style.paint(bold, plaintext.Line(e.Name)), plaintext.Line(e.Where))
	switch e.State {
	case plan.StateChanges:
	case plan.StateInSync:
		return line + string(e.State)
	case plan.StateUnreadable, plan.StateRefused, plan.StateLeased, plan.StateWaiting:
		line += string(e.State) + ": "
	}
	return line + plaintext.Line(saying(e.Differences, e.Blocks))
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
	case plan.StateInSync:
		return "=", green
	case plan.StateUnreadable, plan.StateRefused:
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

// SummaryLine is the last line of the report's text.
func (d Drift) SummaryLine() string {
	w := &driftWriter{}
	w.summary(d)
	return strings.TrimSpace(w.String())
}

func (w *driftWriter) summary(d Drift) {
	s := d.Summary
	name := "Fleet " + plaintext.Line(d.Fleet)
	if d.Shard != "" {
		name += ", shard " + plaintext.Line(d.Shard)
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
