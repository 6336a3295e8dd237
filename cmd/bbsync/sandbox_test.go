package main

import (
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/sandbox"
)

// Whoever starts the sandbox can go on with other clients, too: no address and no
// credential has to be looked for.
func TestSandboxTellsAll(t *testing.T) {
	facts := sandbox.Facts{
		Control:    "http://control",
		Terraform:  sandbox.TerraformFacts{Address: "https://terraform", Token: "tf-token"},
		Bitbuckets: []sandbox.BitbucketFacts{{Version: "9.4.0", URL: "https://bitbucket", SSH: "host:7999"}, {Version: "5.3.1", URL: "https://old", SSH: "host:7998"}},
		Vault:      sandbox.VaultFacts{Address: "http://vault", Token: "vault-token"},
		CAFile:     "/ca.pem",
		People:     sandbox.People{Platform: "pw-platform", Admin: "pw-admin", ServiceUser: "pw-service"},
	}
	var out strings.Builder
	showWorld(&out, facts, 12)
	for _, want := range []string{
		"http://control", "https://terraform ", "tf-token", "acme-01 to acme-12", "https://bitbucket ", "9.4.0", "host:7999", "https://old ",
		"5.3.1", "host:7998", "http://vault ", "vault-token", "/ca.pem", "platform, password pw-platform", "admin, password pw-admin",
		"svc-terraform, password pw-service", "export BBSYNC_VAR_bitbucket_2_url='https://old'",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not told:\n%s", want, out.String())
		}
	}
}
