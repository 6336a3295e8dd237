// Command bbsync keeps fleets of Terraform organizations connected to Bitbucket
// Server and Data Center. The program is in internal/cli.
package main

import (
	"os"

	"github.com/bbsync/bbsync/internal/cli"
)

func main() { os.Exit(cli.Main()) }
