// Package planview is a plan as every presentation shows it: lines with signs and
// positions, identical connections grouped, states in words.
package planview

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

// Line is one line about a connection: a step, a reason, a block, a remedy or a
// note.
type Line struct {
	Sign   string // of a step, "x", "i" or "w"; "" under the line before it
	Reason bool   // of the step above
	Text   string
	At     sourcepos.Position
}

// String returns the line without colours, without its end.
func (l Line) String() string { return l.Annotated("") }

// Annotated returns the line with a note before its position.
func (l Line) Annotated(note string) string {
	text := l.Sign + " " + plaintext.Line(l.Text)
	if l.Sign == "" {
		text = "  " + plaintext.LineStart(plaintext.Line(l.Text))
	}
	if note != "" {
		text += "  " + note
	}
	if l.At.File != "" {
		text += "  (" + l.At.String() + ")"
	}
	return text
}

// Lines returns all there is about one connection, or one Bitbucket. Of a new
// connection nothing is there yet, which needs no line of its own at each step
// unless everything is asked for.
func Lines[S plan.AnyStep](changes []plan.ChangeOf[S], blocks []plan.Block, notes []plan.Note, verbose bool) []Line {
	var out []Line
	for _, b := range blocks {
		out = append(out, Line{Sign: "x", Text: b.Text, At: sourcepos.Of(b.At)})
		if b.Remedy != "" {
			out = append(out, Line{Text: b.Remedy})
		}
	}
	if len(blocks) == 0 {
		terse := !verbose && isNew(changes)
		for _, c := range changes {
			out = append(out, changeLines(c, terse)...)
		}
	}
	for _, n := range notes {
		sign := "i"
		if n.Warning {
			sign = "w"
		}
		out = append(out, Line{Sign: sign, Text: n.Text, At: sourcepos.Of(n.At)})
	}
	return out
}

// isNew reports whether the steps make a connection of which nothing is there.
func isNew[S plan.AnyStep](changes []plan.ChangeOf[S]) bool {
	if len(changes) == 0 {
		return false
	}
	pair, ok := any(changes[0].Step).(plan.CreateConsumerKey)
	return ok && pair.Key == "" && !pair.Again
}

func changeLines[S plan.AnyStep](c plan.ChangeOf[S], terse bool) []Line {
	step := Line{Sign: c.Step.Type().Symbol, Text: aligned(c.Step.String())}
	if terse && len(c.Because) == 1 && step.Sign != "-" && c.Because[0].Live == "" {
		step.At = sourcepos.Of(c.Because[0].At)
		return []Line{step}
	}
	out := []Line{step}
	for _, r := range c.Because {
		out = append(out, Line{Reason: true, Text: ReasonText(r), At: sourcepos.Of(r.At)})
	}
	return out
}

// ReasonText returns a difference as a line has it.
func ReasonText(r plan.Reason) string {
	return fmt.Sprintf("%s: live %s, want %s", r.What, cmp.Or(r.Live, "none"), cmp.Or(r.Want, "none"))
}

// aligned sets the systems that steps begin with flush right, so that what is
// done stands in one column.
func aligned(step string) string {
	for _, system := range []string{"vault", "bitbucket", "terraform", "a person"} {
		if strings.HasPrefix(step, system+": ") {
			return strings.Repeat(" ", len("bitbucket")-len(system)) + step
		}
	}
	return step
}
