package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/report"
)

func (a *app) graphCommand() *cobra.Command {
	format := string(report.DOT)
	names := formatNames(report.GraphFormats())
	c := &cobra.Command{
		Use:   "graph",
		Short: "Draw who is connected to what",
		Long: "graph draws Terraforms, organizations, Bitbuckets and repositories as the files describe them. It\n" +
			"asks no system. In a large fleet the organizations of a block are one node.",
		RunE: func(*cobra.Command, []string) error {
			if !slices.Contains(names, format) {
				return &exitError{code: exitUsage, err: fmt.Errorf("--format %s is not known; there are %s", format, strings.Join(names, ", "))}
			}
			fleet, err := a.load()
			if err != nil {
				return err
			}
			text, err := report.RenderGraph(fleet, report.Format(format))
			if err != nil {
				return err
			}
			_, err = io.WriteString(a.documents(), text)
			return err
		},
	}
	c.Flags().StringVar(&format, "format", format, strings.Join(names, ", "))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	a.variableFlags(c)
	return c
}
