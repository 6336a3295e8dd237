package terminal

import (
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/report/planview"
	"github.com/bbsync/bbsync/internal/sourcepos"
)

// A span is text of one colour. The text may be another system's: it is made
// safe when it is written.
type span struct {
	code string // "" for none
	text string
}

// A lineWriter writes lines that keep to a terminal's width: what does not fit
// goes on below its own beginning, and a word is never cut.
type lineWriter struct {
	strings.Builder
	Style
	code string // the colour that is on
}

// line writes spans after an indent; following lines begin hang columns further
// in than the first.
func (w *lineWriter) line(indent, hang int, spans ...span) {
	w.pad(indent)
	column, first := indent, true
	for _, x := range words(spans) {
		if w.Width > 0 && x.spaces > 0 && column+x.spaces+x.width > w.Width && column > indent+hang {
			w.switchTo("")
			w.WriteByte('\n')
			w.pad(indent + hang)
			column, x.spaces, first = indent+hang, 0, true
		}
		if x.pieces[0].code != w.code {
			w.switchTo("")
		}
		w.pad(x.spaces)
		for i, piece := range x.pieces {
			w.switchTo(piece.code)
			if first && i == 0 {
				piece.text = plaintext.LineStart(piece.text)
			}
			w.WriteString(piece.text)
		}
		column, first = column+x.spaces+x.width, false
	}
	w.switchTo("")
	w.WriteByte('\n')
}

// A word is what must not be cut: pieces, perhaps of several colours, after
// some spaces.
type word struct {
	spaces, width int
	pieces        []span
}

func words(spans []span) []word {
	var out []word
	spaces, open := 0, false
	for _, s := range spans {
		for i, text := range strings.Split(plaintext.Line(s.text), " ") {
			if i > 0 {
				spaces++
				open = false
			}
			if text == "" {
				continue
			}
			if !open {
				out = append(out, word{spaces: spaces})
				spaces, open = 0, true
			}
			last := &out[len(out)-1]
			last.pieces = append(last.pieces, span{s.code, text})
			last.width += runewidth.StringWidth(text)
		}
	}
	return out
}

// switchTo goes on in another colour.
func (w *lineWriter) switchTo(code string) {
	if !w.Color || code == w.code {
		return
	}
	if w.code != "" {
		w.WriteString("\x1b[0m")
	}
	if code != "" {
		w.WriteString("\x1b[" + code + "m")
	}
	w.code = code
}

func (w *lineWriter) pad(n int) { w.WriteString(strings.Repeat(" ", n)) }

func (w *lineWriter) blank() { w.WriteByte('\n') }

// where is the position in the configuration, after what it is about.
func where(at sourcepos.Position) span {
	if at.File == "" {
		return span{}
	}
	return span{dim, "  (" + at.String() + ")"}
}

// under is how far reasons stand below the text of their step.
const under = len("bitbucket: ")

// planLine writes a line of a plan, with a note after its text.
func (w *lineWriter) planLine(l planview.Line, note string) {
	spans := []span{{"", l.Text}, {dim, note}, where(l.At)}
	indent, hang := 6, 2
	switch {
	case l.Sign == "x" || l.Sign == "i" || l.Sign == "w":
		indent, hang = 2, 2
	case l.Sign != "":
		indent, hang = 2, 2+under
	case l.Reason:
		indent = 4 + under
		spans[0].code = dim
	}
	if l.Sign != "" {
		spans = append([]span{{signCode(l.Sign), l.Sign}, {"", " "}}, spans...)
	}
	w.line(indent, hang, spans...)
}
