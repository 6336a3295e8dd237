package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/report"
)

func (a *app) reportCommand() *cobra.Command {
	c := &cobra.Command{Use: "report", Short: "Work with reports that earlier runs wrote"}
	c.AddCommand(a.reportMergeCommand())
	return c
}

func (a *app) reportMergeCommand() *cobra.Command {
	var output *outputFlags
	c := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Put the reports of all shards together",
		Long: "merge reads what bbsync drift --shard i/n --json wrote in each shard and shows what one process\n" +
			"would have shown, with the same exit code. It refuses reports that contradict each other; a\n" +
			"shard whose report is missing is named, and the exit code is then 3.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			if err := a.use(output); err != nil {
				return err
			}
			return a.mergeReports(files, output)
		},
	}
	output = a.outputFlags(c)
	return c
}

func (a *app) mergeReports(files []string, output *outputFlags) error {
	parts := make([]report.Drift, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading a report: %w", err)
		}
		if parts[i], err = report.DecodeDrift(text); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	d, err := report.MergeDrift(files, parts)
	if err != nil {
		return fmt.Errorf("merging: %w", err)
	}
	err = a.deliver(output, func(format report.Format, style report.Style) (string, error) {
		text, _, err := d.Render(format, style)
		return text, err
	})
	if err != nil {
		return err
	}
	return exit(driftExit(d))
}
