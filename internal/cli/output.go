package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

// outputFlags say in which formats a command writes its result.
type outputFlags struct {
	json    bool
	into    string   // --json-into
	format  string   // of standard output
	also    []string // FORMAT=FILE
	formats []report.Format
}

// outputFlags adds the flags of a command that has a result. Without formats it has
// text and JSON only.
func (a *app) outputFlags(c *cobra.Command, formats ...report.Format) *outputFlags {
	o := &outputFlags{formats: formats, format: string(report.Text)}
	flags := c.Flags()
	flags.BoolVar(&o.json, "json", false, "print JSON; bbsync schema prints its schema")
	flags.StringVar(&o.into, "json-into", "", "also write JSON to this file")
	if len(formats) > 0 {
		names := strings.Join(formatNames(formats), ", ")
		flags.StringVar(&o.format, "format", o.format, "output format: "+names)
		flags.StringArrayVar(&o.also, "also", nil, "write another format to a file, as FORMAT=FILE; repeatable")
		_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formatNames(formats), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	}
	return o
}

func formatNames(formats []report.Format) []string {
	var out []string
	for _, f := range formats {
		out = append(out, string(f))
	}
	return out
}

// A sink is a file and the format written to it.
type sink struct {
	format report.Format
	file   string
}

// use checks o and makes it the output of the command that runs, before any system is
// asked.
func (a *app) use(o *outputFlags) error {
	a.output = o
	return o.check()
}

func (o *outputFlags) check() error {
	usage := func(format string, args ...any) error {
		return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
	}
	if o.json {
		if o.format != string(report.Text) && o.format != string(report.AsJSON) {
			return usage("--json and --format %s contradict each other", o.format)
		}
		o.format = string(report.AsJSON)
	}
	if len(o.formats) > 0 && !slices.Contains(o.formats, report.Format(o.format)) {
		return usage("--format %s is not known; there are %s", o.format, strings.Join(formatNames(o.formats), ", "))
	}
	for _, also := range o.also {
		format, file, found := strings.Cut(also, "=")
		if !found || file == "" || !slices.Contains(o.formats, report.Format(format)) {
			return usage("--also %s is not FORMAT=FILE; formats are %s", also, strings.Join(formatNames(o.formats), ", "))
		}
	}
	seen := map[string]bool{}
	for _, s := range o.sinks() {
		if seen[s.file] {
			return usage("two results are to be written to %s, and the second would replace the first", s.file)
		}
		seen[s.file] = true
	}
	return nil
}

func (o *outputFlags) sinks() []sink {
	var out []sink
	if o.into != "" {
		out = append(out, sink{report.AsJSON, o.into})
	}
	for _, also := range o.also {
		format, file, _ := strings.Cut(also, "=")
		out = append(out, sink{report.Format(format), file})
	}
	return out
}

// machine reports whether a program reads standard output.
func (o *outputFlags) machine() bool { return o != nil && o.format != string(report.Text) }

// deliver prints a result and writes the files asked for. Files have no colors and no
// width.
func (a *app) deliver(o *outputFlags, render func(report.Format, terminal.Style) (string, error)) error {
	text, err := render(report.Format(o.format), a.style(a.stdout))
	if err != nil {
		return err
	}
	var failed error
	for _, s := range o.sinks() {
		text, err := render(s.format, terminal.Style{})
		if err == nil {
			err = replace.File(s.file, []byte(text), 0o600)
		}
		failed = errors.Join(failed, err)
	}
	out := a.stdout
	if o.machine() {
		out = a.documents()
	}
	if _, err := io.WriteString(out, text); err != nil {
		failed = errors.Join(failed, fmt.Errorf("printing the result: %w", err))
	}
	return failed
}
