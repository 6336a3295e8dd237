package cli

import (
	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/trace"
)

// traced makes a span of the verb that runs, if OpenTelemetry's variables ask
// for traces, and returns what ends it.
func (a *app) traced(root *cobra.Command) (ended func(exitCode int)) {
	ended = func(int) {}
	if !trace.Wanted(a.getenv) {
		return ended
	}
	before := root.PersistentPreRun
	root.PersistentPreRun = func(c *cobra.Command, args []string) {
		before(c, args)
		ctx, end := trace.Run(c.Context(), c.CommandPath(), version(), a.getenv, a.warn)
		c.SetContext(ctx)
		ended = end
	}
	return func(exitCode int) { ended(exitCode) }
}
