//go:build !docs

package cli

import "github.com/spf13/cobra"

// docsCommands are in docs.go, which the build tag docs adds.
func docsCommands() []*cobra.Command { return nil }
