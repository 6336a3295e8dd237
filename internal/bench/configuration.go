package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bbsync/bbsync/sandbox"
)

// A Shape is what fleet to write.
type Shape struct {
	Organizations int
	PerBitbucket  bool   // each organization is connected to every Bitbucket of the world
	OwnTokens     int    // organizations with a credential of their own, from the environment variable OWN_TOKEN
	TwoBlocks     bool   // each Bitbucket's connections use a terraform block of their own, with the same credential
	RateLimit     string // rate_limit of the Bitbuckets, which do not tell theirs; "": none
}

// Write writes the files of a fleet in this world into the folder.
func Write(folder string, world sandbox.Facts, s Shape) error {
	var b strings.Builder
	limit := ""
	if s.RateLimit != "" {
		limit = "\n  rate_limit = " + s.RateLimit
	}
	fmt.Fprintf(&b, "bbsync {\n  fleet = \"bench\"\n}\nvault {\n  address = %q\n}\n", world.Vault.Address)
	count := 1
	if s.PerBitbucket {
		count = len(world.Bitbuckets)
	}
	terraforms := []string{"hcp"}
	if s.TwoBlocks {
		terraforms = append(terraforms, "again")
	}
	for _, label := range terraforms {
		fmt.Fprintf(&b, "terraform %q {\n  address = %q\n  ca_file = %q\n  token { vault = \"secret/platform/hcp#token\" }\n}\n",
			label, world.Terraform.Address, world.CAFile)
	}
	for i, server := range world.Bitbuckets[:count] {
		fmt.Fprintf(&b, "bitbucket \"b%d\" {\n  url     = %q\n  ca_file = %q%s\n  admin {\n    username = %q\n"+
			"    password { vault = \"secret/platform/bitbucket#admin\" }\n  }\n}\n", i, server.URL, world.CAFile, limit, sandbox.AdminUser)
	}
	for i := range count {
		block := block{bitbucket: fmt.Sprintf("b%d", i), terraform: terraforms[i%len(terraforms)]}
		b.WriteString(block.connections(s.OwnTokens+1, s.Organizations))
		block.token = "  token { env = \"OWN_TOKEN\" }\n"
		b.WriteString(block.connections(1, s.OwnTokens))
	}
	return os.WriteFile(filepath.Join(folder, "main.hcl"), []byte(b.String()), 0o600)
}

type block struct{ bitbucket, terraform, token string }

// connections writes one block for the organizations first to last.
func (b block) connections(first, last int) string {
	if last < first {
		return ""
	}
	name := b.bitbucket
	if b.token != "" {
		name += "-own"
	}
	names := make([]string, 0, last-first+1)
	for n := first; n <= last; n++ {
		names = append(names, fmt.Sprintf("    %q,\n", sandbox.OrgName(n)))
	}
	return fmt.Sprintf("connection %q {\n  for_each = toset([\n%s  ])\n  terraform    = terraform.%s\n  organization = each.value\n"+
		"  bitbucket    = bitbucket.%s\n  service_user = %q\n  name         = \"Bitbucket (%s)\"\n%s"+
		"  grant {\n    project      = %q\n    repositories = [\"vpc\", \"dns\"]\n    permission   = \"REPO_ADMIN\"\n  }\n}\n",
		name, strings.Join(names, ""), b.terraform, b.bitbucket, sandbox.ServiceUser, b.bitbucket, b.token, sandbox.Project)
}
