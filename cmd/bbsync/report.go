package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/report"
)

func (a *app) reportCommand() *cobra.Command {
	var html string
	c := &cobra.Command{
		Use:   "report --html FILE",
		Short: "Write the fleet as a page, or work with reports that earlier runs wrote",
		Long: "report reads the systems as plan does and writes one HTML page: the fleet as a map, every\n" +
			"connection with its state, the ages of keys, what is to be done and why. The page needs no network\n" +
			"and holds no secret. It changes nothing, and exits with 0 whatever the page shows.",
	}
	flags := a.sessionFlags(c)
	c.Flags().StringVar(&html, "html", "", "write the page to this file")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if html == "" {
			return &exitError{code: exitUsage, err: errors.New("report needs --html FILE, or one of its verbs; see bbsync report --help")}
		}
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.reportPage(ctx, flags, html))
	}
	c.AddCommand(a.reportMergeCommand())
	return c
}

func (a *app) reportPage(ctx context.Context, flags *sessionFlags, file string) error {
	s, err := a.open(ctx, flags)
	if err != nil {
		return err
	}
	defer s.close()
	p, err := s.plan(ctx, s.connections)
	if err != nil {
		return err
	}
	text, err := report.Page(p, a.now(), version())
	if err != nil {
		return err
	}
	return replaceFile(file, []byte(text))
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
