package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/page"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

func (a *app) reportCommand() *cobra.Command {
	var html string
	var runs []string
	c := &cobra.Command{
		Use:   "report --html FILE",
		Short: "Write the fleet as a page, or work with reports that earlier runs wrote",
		Long: "report reads the systems as plan does and writes one HTML page: the fleet as a map, every\n" +
			"connection with its state, the ages of keys, what is to be done and why. The page needs no network\n" +
			"and holds no secret. It changes nothing, and exits with 0 whatever the page shows.\n\n" +
			"Given what earlier runs of bbsync drift --json-into wrote, with --runs, it shows the drift over the\n" +
			"last of them, too.",
	}
	flags := a.scopeFlags(c)
	c.Flags().StringVar(&html, "html", "", "write the page to this file")
	c.Flags().StringArrayVar(&runs, "runs", nil, "files that bbsync drift --json-into wrote, as in 'drift/*.json'; repeatable")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if html == "" {
			return &exitError{code: exitUsage, err: errors.New("report needs --html FILE, or one of its verbs; see bbsync report --help")}
		}
		if err := a.ownPages(); err != nil {
			return err
		}
		ctx, cancel := a.untilStopped(c.Context())
		defer cancel()
		return interruptible(ctx, a.reportPage(ctx, flags, html, runs))
	}
	c.AddCommand(a.reportMergeCommand())
	return c
}

func (a *app) reportPage(ctx context.Context, flags *scopeFlags, file string, patterns []string) error {
	names, err := matching(patterns)
	if err != nil {
		return err
	}
	runs, err := readDrifts(names, documents.ReadDrift)
	if err != nil {
		return err
	}
	run, err := a.openRun(ctx, flags)
	if err != nil {
		return err
	}
	defer run.Close()
	if err := page.CheckRuns(run.Configuration.Name, names, runs); err != nil {
		return fmt.Errorf("drift over the last runs: %w", err)
	}
	p, err := run.Plan(ctx)
	if err != nil {
		return err
	}
	text, err := page.HTML(p, a.now(), version(), runs...)
	if err != nil {
		return err
	}
	if err := replace.File(file, []byte(text), 0o600); err != nil {
		return err
	}
	a.sayf("Wrote %s, %d connections: open it in a browser.\n", file, len(p.Connections))
	return nil
}

// matching returns the files that the patterns name, each once. A pattern that
// names none is a mistake.
func matching(patterns []string) ([]string, error) {
	var names []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			return nil, &exitError{code: exitUsage, err: fmt.Errorf("--runs %s names no file", pattern)}
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// readDrifts reads what bbsync drift --json wrote.
func readDrifts(files []string, read func([]byte) (drift.Report, error)) ([]drift.Report, error) {
	out := make([]drift.Report, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a report: %w", err)
		}
		if out[i], err = read(text); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return out, nil
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
	parts, err := readDrifts(files, documents.DecodeDrift)
	if err != nil {
		return err
	}
	d, err := drift.Merge(files, parts)
	if err != nil {
		return fmt.Errorf("merging: %w", err)
	}
	err = a.deliver(output, func(format report.Format, style terminal.Style) (string, error) {
		text, _, err := report.RenderDrift(d, format, style)
		return text, err
	})
	if err != nil {
		return err
	}
	return exit(driftExit(d))
}
