package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// An exampleWorld is what an example is tried in.
type exampleWorld struct {
	t     *testing.T
	vault *vaulttest.Server
	world *sandbox.World
	env   []string
}

// TestExamples plans and applies every folder of examples that has a
// configuration, from nothing to in sync.
func TestExamples(t *testing.T) {
	folders, err := filepath.Glob("../../examples/*/main.hcl")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	prepare := map[string]func(exampleWorld) []string{
		"approle":     exampleWorld.appRole,
		"own-keys":    exampleWorld.ownKeys,
		"private-vcs": exampleWorld.agentPool,
		"before-5.4":  exampleWorld.pluginArtefact,
	}
	for _, main := range folders {
		folder := filepath.Dir(main)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			e := newExampleWorld(t, filepath.Base(folder))
			if p := prepare[filepath.Base(folder)]; p != nil {
				e.env = append(e.env, p(e)...)
			}
			e.bbsync(folder, exitPending, "plan")
			e.bbsync(folder, exitWaiting, "apply", "--auto-approve")
			e.bbsync(folder, exitDone, "sandbox", "approve")
			e.bbsync(folder, exitDone, "apply", "--auto-approve")
			if out := e.bbsync(folder, exitDone, "plan"); !strings.Contains(out, "In sync: ") {
				t.Errorf("the plan after the apply is not empty:\n%s", out)
			}
		})
	}
}

func newExampleWorld(t *testing.T, name string) exampleWorld {
	t.Helper()
	versions := map[string][]string{"before-5.4": {"5.3.1"}, "fleet": {"9.4.0", "5.3.1"}, "quickstart": {"8.19.12"}, "projects": {"7.11.2"}}[name]
	if versions == nil {
		versions = []string{"9.4.0"}
	}
	v := vaulttest.Start(t)
	world, err := sandbox.Start(t.Context(), sandbox.Options{Bitbuckets: versions, Vault: sandbox.ExternalVault{Address: v.Address, Token: v.RootToken}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	return exampleWorld{t: t, vault: v, world: world, env: append(os.Environ(), world.Facts.Environment()...)}
}

// bbsync runs the real binary in the folder and insists on its exit code.
func (e exampleWorld) bbsync(folder string, want int, args ...string) string {
	e.t.Helper()
	heard := e.t.TempDir()
	cmd := exec.CommandContext(e.t.Context(), "bbsync", append([]string{"-C", folder}, args...)...)
	cmd.Env = append(e.env, "BBSYNC_TEST_HEARD="+heard, "NO_COLOR=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	got := 0
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exited.ExitCode()
	} else if err != nil {
		e.t.Fatal(err)
	}
	if got != want {
		e.t.Fatalf("bbsync %s: exit code %d, want %d:\n%s", strings.Join(args, " "), got, want, out.String())
	}
	if err := findSecrets(heard); err != nil {
		e.t.Error(err)
	}
	return out.String()
}

// appRole logs in under exactly the policy that the documentation shows, with
// the lines that it asks to be added for the credentials.
func (e exampleWorld) appRole() []string {
	rules, err := os.ReadFile("../../docs/vault-policy.hcl")
	if err != nil {
		e.t.Fatal(err)
	}
	policy := e.vault.Policy(e.t, strings.ReplaceAll(string(rules), "/corp/", "/approle/")+`
path "secret/data/platform/hcp" { capabilities = ["read"] }
path "secret/data/platform/bitbucket" { capabilities = ["read"] }`)
	client := e.vault.Client(e.t, e.vault.RootToken).Logical()
	write := func(path string, data map[string]any) map[string]any {
		s, err := client.WriteWithContext(e.t.Context(), path, data)
		if err != nil {
			e.t.Fatal(err)
		}
		if s == nil {
			return nil
		}
		return s.Data
	}
	write("sys/auth/approle", map[string]any{"type": "approle"})
	write("auth/approle/role/bbsync", map[string]any{"token_policies": policy})
	role, err := client.ReadWithContext(e.t.Context(), "auth/approle/role/bbsync/role-id")
	if err != nil {
		e.t.Fatal(err)
	}
	secret := write("auth/approle/role/bbsync/secret-id", map[string]any{})
	return []string{fmt.Sprint("BBSYNC_ROLE_ID=", role.Data["role_id"]), fmt.Sprint("BBSYNC_SECRET_ID=", secret["secret_id"]), "VAULT_TOKEN="}
}

func (e exampleWorld) ownKeys() []string {
	ssh, err := keys.GenerateSSH(keys.DefaultRSABits, "")
	if err != nil {
		e.t.Fatal(err)
	}
	consumer, err := keys.GenerateConsumer(keys.DefaultRSABits)
	if err != nil {
		e.t.Fatal(err)
	}
	_, err = e.vault.Client(e.t, e.vault.RootToken).KVv2("secret").Put(e.t.Context(), "keys/acme-01", map[string]any{
		"ssh": ssh.Private.Reveal(), "consumer": consumer.Private.Reveal(),
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return nil
}

func (e exampleWorld) agentPool() []string {
	address := e.world.Facts.Terraform.Address + "/api/v2/organizations/acme-01/agent-pools"
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, address,
		strings.NewReader(`{"data":{"type":"agent-pools","attributes":{"name":"private-network"}}}`))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.world.Facts.Terraform.Token)
	req.Header.Set("Content-Type", "application/vnd.api+json")
	res, err := e.world.HTTPClient().Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		e.t.Fatal(res.Status)
	}
	return nil
}

func (e exampleWorld) pluginArtefact() []string {
	const address = "https://artifacts.corp.example/web-post-hooks-for-bitbucket-server-1.6.0.jar"
	err := e.world.Bitbuckets[0].Change("plugin put at an address", func(s *bitbucketd.State) error {
		key := "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin"
		delete(s.Plugins, key)
		s.Artefacts[address] = bitbucketd.Plugin{Key: key, Name: "Web Post Hooks for Bitbucket Server", Version: "1.6.0"}
		return nil
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return nil
}

// findSecrets returns an error if a secret of a sandbox, or any private key, is
// in a file below the folder.
func findSecrets(folder string) error {
	return filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range []string{"canary-", "PRIVATE KEY", ".atlasv1."} {
			if i := strings.Index(string(text), secret); i >= 0 {
				return fmt.Errorf("%s holds a secret: ...%s", path, text[max(0, i-200):min(len(text), i+40)])
			}
		}
		return nil
	})
}
