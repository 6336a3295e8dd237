package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/bbsync/bbsync/sandbox/person"
)

func (a *app) sandboxByHandCommand() *cobra.Command {
	var mishaps bool
	c := &cobra.Command{
		Use:   "by-hand",
		Short: "Connect all organizations as people do without bbsync, to try import on",
		Long: "by-hand plays people who connect every organization to the first Bitbucket over the years: each with\n" +
			"an OAuth client, a link and a token, most with one SSH key that they share. No key is kept anywhere.\n\n" +
			"With --mishaps the last organizations have one each: " + strings.Join(person.Mishaps(), ", ") + ".",
	}
	c.Flags().BoolVar(&mishaps, "mishaps", false, "let something go wrong in the last organizations")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.person(c.Context())
		if err != nil {
			return err
		}
		return p.ByHand(c.Context(), mishaps, func(org, mishap string) {
			a.sayf("%s\n", strings.TrimSpace(org+" "+mishap))
		})
	}
	return c
}
