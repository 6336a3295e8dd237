package main

import (
	"fmt"
	"os"
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
func writeList(file string, n int) error {
	var b strings.Builder
	b.WriteString(head + "connection \"team\" {\n  for_each = toset([\n")
	for i := range n {
		fmt.Fprintf(&b, "    \"acme-%05d\",\n", i)
	}
	b.WriteString("  ])" + fmt.Sprintf(body, "each.value"))
	return os.WriteFile(file, []byte(b.String()), 0o600)
}

// writeBlocks writes n connections as n blocks.
func writeBlocks(file string, n int) error {
	var b strings.Builder
	b.WriteString(head)
	for i := range n {
		fmt.Fprintf(&b, "connection \"team_%05d\" {"+body, i, fmt.Sprintf("\"acme-%05d\"", i))
	}
	return os.WriteFile(file, []byte(b.String()), 0o600)
}
