package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is set when a release is linked.
var release = "0.1.0-dev" //nolint:gochecknoglobals // the linker's way in

func version() string { return release }

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version, and the commit it was built from",
		RunE: func(*cobra.Command, []string) error {
			commit, date := built()
			fmt.Fprintf(a.stdout, "bbsync %s%s%s\n", version(), commit, date)
			return nil
		},
	}
}

// built returns what the Go tool noted of the commit, "" where it noted none.
func built() (commit, date string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = " " + s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			date = " " + s.Value
		}
	}
	return commit, date
}
