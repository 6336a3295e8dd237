package cli

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/report"
	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/terminal"
)

// release is set when a release is linked.
var release = "0.1.0-dev" //nolint:gochecknoglobals // the linker's way in

func version() string { return release }

func (a *app) versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Show the version, and the commit it was built from",
	}
	out := a.outputFlags(c)
	c.RunE = func(*cobra.Command, []string) error {
		if err := a.use(out); err != nil {
			return err
		}
		return a.deliver(out, renderVersion)
	}
	return c
}

func renderVersion(format report.Format, _ terminal.Style) (string, error) {
	commit, date := built()
	if format == report.AsJSON {
		return documents.JSON(documents.NewVersion(version(), commit, date, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH))
	}
	return strings.Join(strings.Fields(strings.Join([]string{"bbsync", version(), commit[:min(12, len(commit))], date}, " ")), " ") + "\n", nil
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
			commit = s.Value
		case "vcs.time":
			date = s.Value
		}
	}
	return commit, date
}
