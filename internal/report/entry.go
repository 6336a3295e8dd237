package report

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/plan"
)

// An entry is one line that a plan says about a connection: a step, a reason,
// a block, a remedy or a note.
type entry struct {
	sign  string // of a step, "x", "i" or "w"; "" under the entry before it
	faint bool
	text  string
	at    hcl.Range
}

// line is the entry as a line of formats without colours, without its end.
func (e entry) line() string {
	if e.sign == "" {
		return "  " + plaintext.LineStart(plaintext.Line(e.text))
	}
	return e.sign + " " + plaintext.Line(e.text)
}

// entries says all there is about one connection, or one Bitbucket. Of a new
// connection nothing is there yet, which needs no line of its own at each step
// unless everything is asked for.
func entries(changes []plan.Change, blocks []plan.Block, notes []plan.Note, verbose bool) []entry {
	var out []entry
	for _, b := range blocks {
		out = append(out, entry{sign: "x", text: b.Text, at: b.At})
		if b.Remedy != "" {
			out = append(out, entry{text: b.Remedy})
		}
	}
	if len(blocks) == 0 {
		terse := !verbose && isNew(changes)
		for _, c := range changes {
			out = append(out, changeEntries(c, terse)...)
		}
	}
	for _, n := range notes {
		sign := "i"
		if n.Warning {
			sign = "w"
		}
		out = append(out, entry{sign: sign, text: n.Text, at: n.At})
	}
	return out
}

// isNew reports whether the steps make a connection of which nothing is there.
func isNew(changes []plan.Change) bool {
	if len(changes) == 0 {
		return false
	}
	pair, ok := changes[0].Step.(plan.CreateConsumerKey)
	return ok && pair.Key == "" && !pair.Again
}

func changeEntries(c plan.Change, terse bool) []entry {
	step := entry{sign: c.Step.Symbol(), text: aligned(c.Step.String())}
	if terse && len(c.Because) == 1 && step.sign != "-" && strings.HasPrefix(c.Because[0].Live, "none") {
		step.at = c.Because[0].At
		return []entry{step}
	}
	out := []entry{step}
	for _, r := range c.Because {
		out = append(out, entry{faint: true, text: reasonText(r), at: r.At})
	}
	return out
}

func reasonText(r plan.Reason) string {
	return fmt.Sprintf("%s: live %s, want %s", r.What, orNone(r.Live), orNone(r.Want))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
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

// under is how far reasons stand below the text of their step.
const under = len("bitbucket: ")

func (w *lineWriter) entry(e entry, after string) {
	spans := []span{{"", e.text}, {dim, after}, where(e.at)}
	indent, hang := 6, 2
	switch {
	case e.sign == "x" || e.sign == "i" || e.sign == "w":
		indent, hang = 2, 2
	case e.sign != "":
		indent, hang = 2, 2+under
	case e.faint:
		indent = 4 + under
		spans[0].code = dim
	}
	if e.sign != "" {
		spans = append([]span{{signCode(e.sign), e.sign}, {"", " "}}, spans...)
	}
	w.line(indent, hang, spans...)
}
