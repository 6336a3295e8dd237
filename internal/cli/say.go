package cli

import (
	"io"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// Everything the process says of its own, beside results, goes through these
// functions: names, answers and errors among the arguments become one harmless
// line each, so that none of them can begin a line, move a cursor or call a
// command of a pipeline's log.

// sayf prints to standard output.
func (a *app) sayf(format string, args ...any) { plaintext.Fprintf(a.stdout, format, args...) }

// tellf prints to standard error.
func (a *app) tellf(format string, args ...any) { plaintext.Fprintf(a.stderr, format, args...) }

// warn prints errors that do not end the run, a line each.
func (a *app) warn(err error) {
	for _, line := range plaintext.ErrorLines(err) {
		a.tellf("Warning: %s\n", line)
	}
}

// documents returns where documents for programs are printed, each of which is
// escaped as its own format wants it.
func (a *app) documents() io.Writer {
	if r, ok := a.stdout.(*results); ok {
		return r.documents()
	}
	return a.stdout
}

// clearLine empties the line of the terminal that the cursor is in.
func (a *app) clearLine() {
	if c, ok := a.stderr.(*console); ok {
		c.clearLine()
	}
}

// note prints something to know.
func (a *app) note(text string) { a.tellf("Note: %s\n", text) }
