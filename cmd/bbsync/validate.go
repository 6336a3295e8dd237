package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) validateCommand() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration without asking any system",
		RunE: func(*cobra.Command, []string) error {
			fleet, err := a.load()
			if err != nil {
				return err
			}
			if verbose {
				for _, c := range fleet.Connections {
					fmt.Fprintf(a.stdout, "%s  %s -> %s\n", c.Address, c.Organization, c.Bitbucket.URL)
				}
			}
			fmt.Fprintf(a.stdout, "The configuration is valid: fleet %s, connections: %d.\n", fleet.Name, len(fleet.Connections))
			return nil
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "list the connections")
	a.variableFlags(c)
	return c
}
