package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/bbsync/bbsync/internal/report/terminal"
)

// color is the value of --color.
type color string

const (
	colorAuto   color = "auto"
	colorAlways color = "always"
	colorNever  color = "never"
)

func colors() []string { return []string{string(colorAuto), string(colorAlways), string(colorNever)} }

// Set implements pflag.Value.
func (c *color) Set(text string) error {
	if !slices.Contains(colors(), text) {
		return fmt.Errorf("there are %s", strings.Join(colors(), ", "))
	}
	*c = color(text)
	return nil
}

// String implements pflag.Value.
func (c *color) String() string { return string(*c) }

// Type implements pflag.Value.
func (c *color) Type() string { return "string" }

// style says how text for a stream looks: the flag first, then the environment,
// then whether the stream is a terminal.
func (a *app) style(w io.Writer) terminal.Style {
	style := terminal.Style{Width: width(w)}
	switch {
	case a.color == colorAlways:
		style.Color = true
	case a.color == colorNever, a.getenv("NO_COLOR") != "":
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
	switch s := stream.(type) {
	case *console:
		stream = s.stream
	case *results:
		stream = s.stream
	}
	f, ok := stream.(*os.File)
	return f, ok
}
