package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/bbsync/bbsync/internal/report"
)

// style says how text for a stream looks: the flag first, then the environment,
// then whether the stream is a terminal.
func (a *app) style(w io.Writer) report.Style {
	style := report.Style{Width: width(w)}
	switch {
	case a.color == "always":
		style.Color = true
	case a.color == "never", a.getenv("NO_COLOR") != "":
	case a.getenv("CLICOLOR_FORCE") != "" && a.getenv("CLICOLOR_FORCE") != "0", a.getenv("FORCE_COLOR") != "" && a.getenv("FORCE_COLOR") != "0":
		style.Color = true
	default:
		style.Color = isTerminal(w) && a.getenv("TERM") != "dumb"
	}
	return style
}

// isTerminal reports whether a stream of the process is a terminal.
func isTerminal(stream any) bool {
	f, ok := fileOf(stream)
	return ok && term.IsTerminal(int(f.Fd()))
}

func width(w io.Writer) int {
	f, ok := fileOf(w)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// fileOf returns the process' own stream behind a writer.
func fileOf(stream any) (*os.File, bool) {
	if c, ok := stream.(*console); ok {
		stream = c.stream
	}
	f, ok := stream.(*os.File)
	return f, ok
}
