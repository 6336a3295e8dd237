package cli

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/terminal"
	"github.com/bbsync/bbsync/schema"
)

func (a *app) validateCommand() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration without asking any system",
		Long: "validate reads the configuration and reports every error with its place. It asks no system.\n\n" +
			"It exits with 78 when there are errors.",
	}
	out := a.outputFlags(c, report.ValidateFormats()...)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "list the connections")
	a.variableFlags(c)
	c.RunE = func(*cobra.Command, []string) error {
		if err := a.use(out); err != nil {
			return err
		}
		return a.validate(out, verbose)
	}
	return c
}

func (a *app) validate(out *outputFlags, verbose bool) error {
	fleet, source, diags := a.read()
	if !out.machine() {
		if err := a.explain(source, diags); err != nil {
			return err
		}
	}
	err := a.deliver(out, func(format report.Format, _ terminal.Style) (string, error) {
		if format == report.Text {
			return validText(fleet, verbose), nil
		}
		return report.RenderDiagnostics(fleet, diags, format, version())
	})
	if err != nil {
		return err
	}
	return a.valid(fleet, out)
}

// valid returns nil when there is a fleet, else the error that says so.
func (a *app) valid(fleet *schema.Fleet, out *outputFlags) error {
	switch {
	case fleet != nil:
		return nil
	case out.machine():
		return exit(exitConfig)
	}
	return &exitError{code: exitConfig, err: fmt.Errorf("the configuration in %s has mistakes; nothing was read or changed", a.dir)}
}

func validText(fleet *schema.Fleet, verbose bool) string {
	if fleet == nil {
		return ""
	}
	var b strings.Builder
	if verbose {
		for _, c := range fleet.Connections {
			plaintext.Fprintf(&b, "%s  %s -> %s\n", c.Address, c.Organization, c.Bitbucket.URL)
		}
	}
	plaintext.Fprintf(&b, "The configuration is valid: fleet %s, connections: %d.\n", fleet.Name, len(fleet.Connections))
	return b.String()
}

// explain prints errors with the lines they are about.
func (a *app) explain(source *schema.Source, diags hcl.Diagnostics) error {
	if len(diags) == 0 {
		return nil
	}
	style := a.style(a.stderr)
	return source.Write(a.stderr, diags, uint(max(style.Width, 0)), style.Color)
}
