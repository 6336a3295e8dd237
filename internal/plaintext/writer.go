package plaintext

import (
	"bytes"
	"io"
	"regexp"
	"unicode/utf8"
)

// A Writer is a terminal, or a pipeline's log, that obeys nobody but bbsync. It
// passes text, line breaks, tabs and, when Styled, the colours that bbsync itself
// uses. Everything else that a terminal would obey is shown as an escape, and a
// line cannot begin with a workflow command (::error::).
//
// It is the second line of defence: strings of other systems are made harmless
// where they become text, with Line and Sprintf. It is not safe for concurrent
// use.
type Writer struct {
	Stream io.Writer
	Styled func() bool // nil: colours do not pass

	inLine bool   // something visible was written since the last line break
	rest   []byte // an unfinished character
}

// style matches a colour that bbsync and the diagnostics of HCL use. Hidden and
// reversed text, backgrounds and black are not among them.
var style = regexp.MustCompile(`^\x1b\[(?:(?:[0-4]|3[1-7]|9[1-7])(?:;(?:[0-4]|3[1-7]|9[1-7]))*)?m`)

// Write implements io.Writer.
func (w *Writer) Write(text []byte) (int, error) {
	all := append(w.rest, text...)
	w.rest = nil
	var out bytes.Buffer
	for len(all) > 0 {
		if !utf8.FullRune(all) {
			w.rest = bytes.Clone(all)
			break
		}
		n := w.next(&out, all)
		all = all[n:]
	}
	if _, err := w.Stream.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// next writes the first character, colour or command of text and returns its
// length.
func (w *Writer) next(out *bytes.Buffer, text []byte) int {
	r, size := utf8.DecodeRune(text)
	switch {
	case r == '\n':
		w.inLine = false
	case r == '\x1b' && w.Styled != nil && w.Styled():
		if found := style.Find(text); found != nil {
			size = len(found)
			break
		}
		fallthrough
	case r != '\t' && (unsafe(r) || r == utf8.RuneError && size == 1):
		out.WriteString(escape(string(text[:size])))
		w.inLine = true
		return size
	case !w.inLine && bytes.HasPrefix(text, []byte("::")):
		out.WriteString(`\x3a`)
		w.inLine = true
		return size
	case r == '#' && isCommand(text):
		out.WriteString(`\x23`)
		w.inLine = true
		return size
	case r != ' ' && r != '\t':
		w.inLine = true
	}
	out.Write(text[:size])
	return size
}

// isCommand reports whether a command that is obeyed anywhere in a line begins
// here.
func isCommand(text []byte) bool {
	return bytes.HasPrefix(text, []byte("##")) && isLogCommand(string(text[:min(len(text), longestCommand)]))
}

// longestCommand is more than any "##name[" that a log obeys.
const longestCommand = 32
