//go:build docs

package cli

import (
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// docsCommands are for who packages bbsync, and for its own documentation: what
// writes man pages and Markdown is in no binary that people get.
func docsCommands() []*cobra.Command {
	var man, markdown string
	c := &cobra.Command{
		Use:    "docs",
		Short:  "Write man pages, or Markdown, of all commands",
		Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			if man == "" && markdown == "" {
				return &exitError{code: exitUsage, err: errors.New("docs needs --man DIR or --markdown DIR")}
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			return errors.Join(
				tree(markdown, func(dir string) error { return doc.GenMarkdownTree(root, dir) }),
				tree(man, func(dir string) error { return doc.GenManTree(root, manHeader(), dir) }),
			)
		},
	}
	c.Flags().StringVar(&man, "man", "", "folder for man pages")
	c.Flags().StringVar(&markdown, "markdown", "", "folder for Markdown")
	return []*cobra.Command{c}
}

// tree makes a folder and fills it; "" is none.
func tree(dir string, fill func(string) error) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return fill(dir)
}

// manHeader dates the pages by the commit, so that the same commit makes the
// same pages.
func manHeader() *doc.GenManHeader {
	date := time.Unix(0, 0).UTC()
	if _, text := built(); text != "" {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			date = at
		}
	}
	return &doc.GenManHeader{Title: "BBSYNC", Section: "1", Source: "bbsync " + version(), Manual: "bbsync", Date: &date}
}
