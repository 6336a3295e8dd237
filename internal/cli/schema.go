package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/internal/report/documents"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Print the JSON Schema of what --json prints",
		Long: "schema prints the JSON Schema of the JSON of a verb: " + strings.Join(documents.SchemaNames(), ", ") + ".\n" +
			"Without a name it lists them. The schema of apply describes each line of its stream.",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: documents.SchemaNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, name := range documents.SchemaNames() {
					a.sayf("%s\n", name)
				}
				return nil
			}
			text, err := documents.Schema(args[0])
			if err != nil {
				return err
			}
			_, err = io.WriteString(a.documents(), text)
			return err
		},
	}
}
