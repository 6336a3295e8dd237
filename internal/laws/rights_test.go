package laws_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// credentials are the lines that the published policy asks to be added for the
// secrets that the files name.
const credentials = `
path "secret/data/platform/hcp" { capabilities = ["read"] }
path "secret/data/platform/bitbucket" { capabilities = ["read"] }
`

// least gives bbsync exactly what docs/security.md says each credential needs: a
// Vault token under docs/vault-policy.hcl for its fleet alone, a Terraform user whose team manages
// VCS settings and nothing else, a Bitbucket user with ADMIN.
func (b *bed) least(t *testing.T) {
	t.Helper()
	platform := b.world.Terraform
	b.must(t, platform.AddUser(terraformd.User{Name: "bbsync", Password: secret.New("canary-password"), Token: secret.New("canary-least")}))
	for _, c := range b.fleet.Connections {
		b.must(t, platform.SetAccess(c.Organization, "bbsync", terraformd.Access{ManageVCS: true}))
	}
	_, err := b.vault.Root.KVv2(mount).Put(t.Context(), "platform/hcp", map[string]any{"token": "canary-least"})
	b.must(t, err)
	b.must(t, b.world.Bitbuckets[0].Change("administrator's rights", func(st *bitbucketd.State) error {
		st.Global.Users[sandbox.AdminUser] = bitbucketd.Admin
		return nil
	}))
	b.env["VAULT_TOKEN"] = b.token(t, b.policy(t, "vault-policy.hcl"))
}

// policy returns a policy of the documentation for this fleet.
func (b *bed) policy(t *testing.T, file string) string {
	t.Helper()
	rules, err := os.ReadFile(filepath.Join("../../docs", file))
	b.must(t, err)
	return strings.ReplaceAll(string(rules), "/corp/", "/"+b.fleet.Name+"/") + credentials
}

func (b *bed) token(t *testing.T, rules string) string {
	t.Helper()
	return b.vault.Token(t, vaulttest.Token{Policies: []string{b.vault.Policy(t, rules)}, WithoutDefault: true})
}

// TestTooFewRights: a Terraform token whose team manages nothing is told, where
// it is refused first, what it lacks, and goes on when it has it.
func TestTooFewRights(t *testing.T) {
	t.Parallel()
	b := newBed(t, kind{orgs: 1, terraform: terraformd.Choices{KeepTokenOnReconnect: true}})
	b.least(t)
	org := b.fleet.Connections[0].Organization
	b.must(t, b.world.Terraform.SetAccess(org, "bbsync", terraformd.Access{}))
	got := b.exec(t, moment{}, "apply", "--auto-approve")
	for _, part := range []string{
		"creating an OAuth client in organization " + org, "bbsync's token for 127.0.0.1", "not manage its VCS settings",
		`in the organization's Settings, Teams, give the team of that token "Manage VCS Settings"`,
	} {
		if !strings.Contains(got.output, part) {
			t.Errorf("it does not say %q:\n%s", part, got.output)
		}
	}
	b.must(t, b.world.Terraform.SetAccess(org, "bbsync", terraformd.Access{ManageVCS: true}))
	if got := b.exec(t, moment{}, "apply", "--auto-approve"); got.code != 4 {
		t.Errorf("exit code %d:\n%s", got.code, got.output)
	}
}

// TestLeastRights runs each verb under exactly the rights that are written down
// for it.
func TestLeastRights(t *testing.T) {
	b := newBed(t, kind{orgs: 1, terraform: terraformd.Choices{KeepTokenOnReconnect: true}})
	b.least(t)
	ends := func(want int, args ...string) string {
		t.Helper()
		got := b.exec(t, moment{}, args...)
		if got.code != want {
			t.Fatalf("bbsync %v: exit code %d, want %d:\n%s", args, got.code, want, got.output)
		}
		return got.output
	}
	all, reads := b.env["VAULT_TOKEN"], b.token(t, b.policy(t, "vault-policy-read.hcl"))
	reading := func(want int, args ...string) {
		t.Helper()
		b.env["VAULT_TOKEN"] = reads
		ends(want, args...)
		b.env["VAULT_TOKEN"] = all
	}
	b.env["VAULT_TOKEN"] = "" // what needs none
	ends(0, "validate")
	ends(0, "fmt", "--check")
	ends(0, "graph")
	b.env["VAULT_TOKEN"] = all
	reading(2, "plan")
	reading(2, "plan", "--prune", "--out", filepath.Join(t.TempDir(), "plan.json"))
	ends(4, "apply", "--auto-approve")
	reading(4, "plan")
	reading(4, "authorize", "--no-open", "--timeout", "100ms")
	clients, err := b.someone(t).Clients(t.Context(), sandbox.OrgName(1))
	b.must(t, err)
	_, err = b.someone(t).Approve(t.Context(), clients[0].Connect, sandbox.ServiceUser)
	b.must(t, err)
	ends(0, "apply", "--auto-approve")
	reading(0, "plan")
	reading(0, "drift")
	reading(0, "doctor")
	reading(0, "report", "--html", filepath.Join(t.TempDir(), "fleet.html"))
	reading(0, "import", "--dry-run")
	ends(0, "rotate", "--all", "--ssh", "--auto-approve")
	ends(0, "rotate", "--all", "--ssh", "--rollback", "--auto-approve")
	ends(0, "rotate", "--all", "--consumer", "--auto-approve")
	ends(0, "rotate", "--all", "--emergency", "--reason", "test", "--auto-approve")
	reading(0, "plan")
	b.must(t, b.disturb(t, "delete-ssh-keys", sandbox.OrgName(1)))
	reading(2, "drift")

	// A token that may only read writes nothing: apply fails at the lease.
	b.env["VAULT_TOKEN"] = reads
	if out := ends(1, "apply", "--auto-approve"); !strings.Contains(out, "taking the lease") {
		t.Errorf("a token that only reads applies:\n%s", out)
	}
	b.env["VAULT_TOKEN"] = all
	ends(0, "apply", "--auto-approve")
	ends(0, "destroy", "--confirm=laws")
}
