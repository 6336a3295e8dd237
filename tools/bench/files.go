package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const head = `
bbsync {
  fleet = "bench"
}
vault {
  address = "https://vault.example.com:8200"
}
terraform "hcp" {
  address = "https://app.terraform.io"
}
bitbucket "corp" {
  url = "https://bitbucket.example.com"
  admin {
    username = "admin"
    password { vault = "secret/platform/bitbucket#admin" }
  }
}
`

const body = `
  terraform    = terraform.hcp
  organization = %s
  bitbucket    = bitbucket.corp
  service_user = "svc-terraform"
  name         = "Bitbucket"
  grant {
    project      = "INFRA"
    repositories = ["vpc", "dns"]
  }
}
`

// writeList writes n connections as one block.
func writeList(dir string, n int) error {
	var b strings.Builder
	b.WriteString(head + "connection \"team\" {\n  for_each = toset([\n")
	for i := range n {
		fmt.Fprintf(&b, "    \"acme-%05d\",\n", i)
	}
	b.WriteString("  ])" + fmt.Sprintf(body, "each.value"))
	return write(dir, "main.hcl", &b)
}

// writeBlocks writes n connections as n blocks, in that many files.
func writeBlocks(files int) func(dir string, n int) error {
	return func(dir string, n int) error {
		for f := range files {
			var b strings.Builder
			if f == 0 {
				b.WriteString(head)
			}
			for i := n * f / files; i < n*(f+1)/files; i++ {
				fmt.Fprintf(&b, "connection \"team_%05d\" {"+body, i, fmt.Sprintf("\"acme-%05d\"", i))
			}
			if err := write(dir, fmt.Sprintf("teams-%d.hcl", f), &b); err != nil {
				return err
			}
		}
		return nil
	}
}

func write(dir, name string, text *strings.Builder) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text.String()), 0o600)
}
