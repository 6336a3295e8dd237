package vaulttest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
)

const (
	policyFile  = "../../../docs/vault-policy.hcl"
	readingFile = "../../../docs/vault-policy-read.hcl"
)

var (
	policyBlock  = regexp.MustCompile(`(?ms)^path "([^"]+)" \{\n.*?^\}\n`)
	policyAllows = regexp.MustCompile(`capabilities = \[(.*)\]`)
)

// publishedPolicy returns a policy of the documentation, for fleet corp, for a
// mount of the test's own.
func publishedPolicy(t *testing.T, file, mount string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), `path "secret/`, `path "`+mount+"/")
}

// use does everything that bbsync does in Vault, and returns the first refusal.
func use(ctx context.Context, t *testing.T, server *vaulttest.Server, mount, policy string) error {
	t.Helper()
	token := server.Token(t, vaulttest.Token{Policies: []string{policy}, WithoutDefault: true, TTL: time.Hour})
	self := server.Client(t, token).Auth().Token()
	if _, err := self.LookupSelf(); err != nil {
		return fmt.Errorf("look the token up: %w", err)
	}
	if _, err := self.RenewSelf(60); err != nil {
		return fmt.Errorf("renew the token: %w", err)
	}
	client, err := vault.Login(ctx, vault.Config{
		Address: server.Address, Mount: mount, Patience: time.Millisecond, Auth: vault.Auth{Token: secret.New(token)},
	})
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer client.Close()
	if err := keep(ctx, client, "corp/host/"+policy); err != nil {
		return err
	}
	if err := self.RevokeSelf(""); err != nil {
		return fmt.Errorf("revoke the token: %w", err)
	}
	return nil
}

// keep is the life of a record: leased, changed, released, found, relieved of old keys.
func keep(ctx context.Context, client *vault.Client, path string) error {
	held, err := client.Acquire(ctx, path, "test", time.Minute, record.Record{Fleet: "corp"})
	if err != nil {
		return fmt.Errorf("acquire: %w", err)
	}
	err = held.Update(ctx, func(r *record.Record) error { r.Organization = "acme"; return nil })
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if err := held.Release(ctx); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	_, version, err := client.Read(ctx, path)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if paths, err := client.List(ctx, "corp"); err != nil || len(paths) == 0 {
		return fmt.Errorf("list: %v, %w", paths, err)
	}
	if _, err := client.MountLifetime(ctx); err != nil {
		return fmt.Errorf("read the mount's settings: %w", err)
	}
	if err := client.DestroyOlder(ctx, path, version); err != nil {
		return fmt.Errorf("destroy older versions: %w", err)
	}
	return nil
}

func TestPublishedPolicyIsEnough(t *testing.T) {
	server := vaulttest.Shared(t)
	mount := server.KV2(t)
	if err := use(t.Context(), t, server, mount, server.Policy(t, publishedPolicy(t, policyFile, mount))); err != nil {
		t.Error(err)
	}
}

// Without any one of its capabilities something is refused: there is none too many.
func TestPublishedPolicyIsNoMore(t *testing.T) {
	server := vaulttest.Shared(t)
	mount := server.KV2(t)
	whole := publishedPolicy(t, policyFile, mount)
	blocks := policyBlock.FindAllString(whole, -1)
	if len(blocks) == 0 {
		t.Fatalf("%s has no paths", policyFile)
	}
	for _, block := range blocks {
		path := policyBlock.FindStringSubmatch(block)[1]
		allows := policyAllows.FindStringSubmatch(block)[1]
		capabilities := strings.Split(allows, ", ")
		for i, capability := range capabilities {
			t.Run(strings.TrimPrefix(path, mount+"/")+" "+capability, func(t *testing.T) {
				less := strings.Join(slices.Delete(slices.Clone(capabilities), i, i+1), ", ")
				policy := server.Policy(t, strings.Replace(whole, block, strings.Replace(block, allows, less, 1), 1))
				err := use(t.Context(), t, server, mount, policy)
				if err == nil {
					t.Errorf("nothing needs %s on %s", capability, path)
				}
				t.Log(err)
			})
		}
	}
}

// A token that only reads sees the records of its fleet and writes nothing.
func TestPublishedPolicyForReading(t *testing.T) {
	server := vaulttest.Shared(t)
	mount := server.KV2(t)
	if err := use(t.Context(), t, server, mount, server.Policy(t, publishedPolicy(t, policyFile, mount))); err != nil {
		t.Fatal(err)
	}
	client := under(t, server, mount, publishedPolicy(t, readingFile, mount))
	paths, err := client.List(t.Context(), "corp")
	if err != nil || len(paths) != 1 {
		t.Fatalf("have %v, %v, want the one record", paths, err)
	}
	rec, version, err := client.Read(t.Context(), paths[0])
	if err != nil || rec.Organization != "acme" {
		t.Errorf("have %q, %v, want acme", rec.Organization, err)
	}
	if _, err := client.Write(t.Context(), paths[0], rec, version); !errors.Is(err, vault.ErrForbidden) {
		t.Errorf("have %v for a write, want it refused", err)
	}
	if err := client.DestroyOlder(t.Context(), paths[0], version+1); !errors.Is(err, vault.ErrForbidden) {
		t.Errorf("have %v for destroying versions, want it refused", err)
	}
}

// Without any one of its capabilities the policy for reading is not enough.
func TestPublishedPolicyForReadingIsNoMore(t *testing.T) {
	server := vaulttest.Shared(t)
	mount := server.KV2(t)
	if err := use(t.Context(), t, server, mount, server.Policy(t, publishedPolicy(t, policyFile, mount))); err != nil {
		t.Fatal(err)
	}
	whole := publishedPolicy(t, readingFile, mount)
	for _, block := range policyBlock.FindAllString(whole, -1) {
		path := policyBlock.FindStringSubmatch(block)[1]
		if !strings.Contains(path, "/bbsync/") {
			continue // of the token itself: TestPublishedPolicyIsNoMore
		}
		for capability := range strings.SplitSeq(policyAllows.FindStringSubmatch(block)[1], ", ") {
			less := strings.Replace(whole, block, strings.Replace(block, capability, `"deny"`, 1), 1)
			client := under(t, server, mount, less)
			paths, listErr := client.List(t.Context(), "corp")
			if len(paths) == 0 {
				paths = []string{"corp/host/x"}
			}
			_, _, readErr := client.Read(t.Context(), paths[0])
			_, _, versionsErr := client.Versions(t.Context(), paths[0])
			if err := errors.Join(listErr, readErr, versionsErr); !errors.Is(err, vault.ErrForbidden) {
				t.Errorf("nothing needs %s on %s: %v", capability, path, err)
			}
		}
	}
}

// A token of one fleet can do nothing with the records of another.
func TestPublishedPolicyIsOfOneFleet(t *testing.T) {
	server := vaulttest.Shared(t)
	mount := server.KV2(t)
	_, err := server.Root.KVv2(mount).Put(t.Context(), "bbsync/other/host/acme", map[string]any{"x": "y"})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{policyFile, readingFile} {
		client := under(t, server, mount, publishedPolicy(t, file, mount))
		_, _, read := client.Read(t.Context(), "other/host/acme")
		_, list := client.List(t.Context(), "other")
		_, write := client.Write(t.Context(), "other/host/new", record.Record{Fleet: "other"}, 0)
		destroy := client.DestroyOlder(t.Context(), "other/host/acme", 2)
		for what, err := range map[string]error{"read": read, "list": list, "write": write, "destroy": destroy} {
			if !errors.Is(err, vault.ErrForbidden) {
				t.Errorf("%s, %s: have %v, want it refused", file, what, err)
			}
		}
	}
}

// under returns a client whose token has the policy and nothing else.
func under(t *testing.T, server *vaulttest.Server, mount, policy string) *vault.Client {
	t.Helper()
	client, err := vault.Login(t.Context(), vault.Config{
		Address: server.Address, Mount: mount, Patience: time.Millisecond,
		Auth: vault.Auth{Token: secret.New(server.Token(t, vaulttest.Token{Policies: []string{server.Policy(t, policy)}}))},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
