package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"

	"github.com/bbsync/bbsync/internal/replace"
	"github.com/bbsync/bbsync/schema"
)

// A start is what a starter configuration is made of.
type start struct {
	terraform, bitbucket, serviceUser string
	vault, fleet, organization        string
	caFile                            string
}

func (a *app) initCommand() *cobra.Command {
	var s start
	var file string
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration to start with",
		Long: "init asks three things, unless flags say them: the address of Terraform, the URL of Bitbucket, and the\n" +
			"service user. It writes a configuration that loads as it is, with a comment where something is to\n" +
			"be decided. It asks no system, and overwrites nothing.\n\n" +
			"To take over connections that are there already, run bbsync import next.",
	}
	flags := c.Flags()
	flags.StringVar(&s.terraform, "terraform", "", "address of Terraform, such as https://app.terraform.io")
	flags.StringVar(&s.bitbucket, "bitbucket", "", "URL of Bitbucket, with its context path if it has one")
	flags.StringVar(&s.serviceUser, "service-user", "", "the Bitbucket account that Terraform acts as")
	flags.StringVar(&s.organization, "organization", "", "an organization to connect first; none: an example in a comment")
	flags.StringVar(&s.fleet, "fleet", "main", "name of the fleet: marks what bbsync makes")
	flags.StringVar(&s.vault, "vault", "", "address of Vault; none: from VAULT_ADDR at each run")
	flags.StringVar(&s.caFile, "ca-file", "", "file with the authorities that Terraform and Bitbucket are trusted by; none: the system's")
	flags.StringVar(&file, "out", "main.hcl", "file to write, in the folder of the configuration; it must not be there yet")
	c.RunE = func(*cobra.Command, []string) error { return a.initialize(s, file) }
	return c
}

func (a *app) initialize(s start, file string) error {
	file, err := a.newFile(file)
	if err != nil {
		return err
	}
	if err := a.askStart(&s); err != nil {
		return err
	}
	if err := os.MkdirAll(a.dir, 0o750); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	if err := replace.File(file, hclwrite.Format([]byte(starter(s))), 0o600); err != nil {
		return err
	}
	fleet, source, diags := schema.Load(a.dir, schema.Options{})
	if fleet == nil { // what was answered is no address, or does not go with the other files
		err := errors.Join(a.explain(source, diags), os.Remove(file))
		return &exitError{code: exitConfig, err: errors.Join(errors.New("the answers make no configuration; nothing was written"), err)}
	}
	a.sayf("Wrote %s. Put the credentials where it says, then run bbsync plan, or bbsync import for what is there already.\n", file)
	return nil
}

// newFile returns where a file of the configuration is to be written: in its
// folder, with a name that is read there, and nothing is overwritten.
func (a *app) newFile(name string) (string, error) {
	if !schema.IsFileName(name) {
		return "", &exitError{code: exitUsage, err: fmt.Errorf("--out %s is not the name of a configuration's file: it ends in .hcl, not in .auto.bbsync.hcl, and has no folder and no dot before it; -C names the folder", name)}
	}
	file := filepath.Join(a.dir, name)
	if _, err := os.Lstat(file); err == nil {
		return "", &exitError{code: exitUsage, err: fmt.Errorf("%s is there already: give another name with --out, or remove it", file)}
	}
	return file, nil
}

// askStart asks for what the flags do not say.
func (a *app) askStart(s *start) error {
	in := bufio.NewReader(a.stdin)
	for _, q := range []struct {
		value             *string
		question, example string
		flag              string
	}{
		{&s.terraform, "Address of Terraform", "https://app.terraform.io", "--terraform"},
		{&s.bitbucket, "URL of Bitbucket", "https://bitbucket.example.com", "--bitbucket"},
		{&s.serviceUser, "Bitbucket account that Terraform acts as", "svc-terraform", "--service-user"},
	} {
		if *q.value != "" {
			continue
		}
		a.tellf("%s [%s]: ", q.question, q.example)
		answer, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if errors.Is(err, io.EOF) && answer == "" {
			a.tellf("\n")
			return &exitError{code: exitUsage, err: fmt.Errorf("nobody answers: say it with %s", q.flag)}
		}
		if *q.value = strings.TrimSpace(answer); *q.value == "" {
			*q.value = q.example
		}
	}
	return nil
}

// starter returns the text of the configuration.
func starter(s start) string {
	q := func(text string) string { return string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes()) }
	line := func(name, value string) string {
		if value == "" {
			return ""
		}
		return "  " + name + " = " + q(value) + "\n"
	}
	hash, organization := "# ", "my-organization"
	if s.organization != "" {
		hash, organization = "", s.organization
	}
	connection := `connection "team" {
  for_each     = toset([` + q(organization) + `]) # or csvdecode(file("orgs.csv")) and each.value.org
  terraform    = terraform.main
  organization = each.value
  bitbucket    = bitbucket.main
  service_user = ` + q(s.serviceUser) + `

  # ssh_key { rotate_after = "90d" }

  # What Terraform may use; the service user needs to administer it for webhooks.
  # grant {
  #   project      = "INFRA"
  #   repositories = ["vpc", "dns"]
  #   permission   = "REPO_ADMIN"
  # }
}
`
	return `# The fleet: its name is the mark of all that bbsync makes. Keep it.
bbsync {
  fleet = ` + q(s.fleet) + `

  # A plan that removes more connections than this is refused.
  max_removals = 5
}

# Where the keys are kept: a KV version 2 mount, and a path in it. Login is with
# VAULT_TOKEN unless an auth block says otherwise (approle, kubernetes, jwt, userpass).
vault {
` + line("address", s.vault) + `  mount = "secret"
  path  = "bbsync"
}

# The token must be allowed to manage VCS settings of every organization.
# Put it there with: vault kv put secret/platform/hcp token=-
terraform "main" {
` + line("address", s.terraform) + line("ca_file", s.caFile) + `  token { vault = "secret/platform/hcp#token" } # or env = "TFE_TOKEN"; none: of terraform login
}

# An administrator of Bitbucket: application links need one, with its password.
# Put it there with: vault kv put secret/platform/bitbucket admin=-
bitbucket "main" {
` + line("url", s.bitbucket) + line("ca_file", s.caFile) + `  admin {
    username = "admin"
    password { vault = "secret/platform/bitbucket#admin" }
  }

  # ssh { host_keys = ["ssh-ed25519 AAAA..."] } # pinned; else learned at first contact, with a warning
}

# One connection for each organization. bbsync import writes those that are there.
` + prefixed(connection, hash)
}

// prefixed puts a mark before each line.
func prefixed(text, mark string) string {
	if mark == "" {
		return text
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(mark+lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}
