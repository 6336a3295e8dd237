package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/schema"
)

func (a *app) fmtCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "fmt [FILE...]",
		Short: "Rewrite the configuration's files in the usual layout",
		Args:  cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, files []string) error {
			if len(files) == 0 {
				var err error
				if files, err = a.files(); err != nil {
					return &exitError{code: exitConfig, err: err}
				}
			}
			return a.format(files, check)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing; list what would change and exit with 2")
	return c
}

// files returns the folder's files. None is a mistake, as to all other verbs: a
// check of the wrong folder would pass for ever.
func (a *app) files() ([]string, error) {
	names, err := schema.FileNames(a.dir)
	if err == nil && len(names) == 0 {
		err = errors.New("it holds no file that ends in .hcl")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the folder %s: %w; name another with --chdir", a.dir, err)
	}
	for i, name := range names {
		names[i] = filepath.Join(a.dir, name)
	}
	return names, nil
}

func (a *app) format(files []string, check bool) error {
	changed := 0
	var failed error
	for _, file := range files {
		different, err := a.formatFile(file, check)
		failed = errors.Join(failed, err)
		if different {
			changed++
			a.sayf("%s\n", file)
		}
	}
	if failed != nil {
		return &exitError{code: exitConfig, err: failed}
	}
	if check && changed > 0 {
		return exit(exitPending)
	}
	return nil
}

// formatFile reports whether the file is not in the usual layout, and unless it
// is only checked, rewrites it: a new file moved over the old, so that a full
// disk loses nothing.
func (a *app) formatFile(file string, check bool) (bool, error) {
	before, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	after, diags := schema.Format(before, file)
	if diags.HasErrors() {
		if err := schema.SourceOf(file, before).Write(a.stderr, diags, 0, a.style(a.stderr).Color); err != nil {
			return false, err
		}
		return false, fmt.Errorf("%s is left as it is", file)
	}
	if bytes.Equal(before, after) {
		return false, nil
	}
	if check {
		return true, nil
	}
	return true, replace.File(file, after, 0o600)
}
