package cli

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox"
)

// An interrupt ends the sandbox. It has no steps to finish.
func TestSandboxEnds(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "bbsync", "sandbox", "--orgs", "1", "--bitbucket", "9.4.0")
	cmd.Env = append(os.Environ(), "BBSYNC_TEST_HEARD="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "export BBSYNC_SANDBOX=") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if have := stderr.String(); have != "\nbbsync: stopping; interrupt again to abort\n" {
		t.Errorf("it said %q", have)
	}
}

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
