package schema_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/bbsync/bbsync/schema"
)

func newHostKey(t *testing.T) ssh.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// pinned loads a bitbucket block whose host_keys is one file with this text, and
// returns the keys and what was said.
func pinned(t *testing.T, block, text string) ([]string, string) {
	t.Helper()
	dir := t.TempDir()
	base, err := os.ReadFile(filepath.Join(sourceDir(), "testdata", "base.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"base.hcl": string(base), "hostkeys.pub": text,
		"main.hcl": fmt.Sprintf("bitbucket \"two\" {\n url = \"https://bitbucket.two.example\"\n admin {\n username = \"a\"\n password { env = \"P\" }\n }\n"+
			" ssh {\n %s\n host_keys = [file(\"hostkeys.pub\")]\n }\n}\n", block),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fleet, _, diags := schema.Load(dir, schema.Options{})
	var said []string
	for _, d := range diags {
		said = append(said, fmt.Sprintf("%s:%d %s %s", filepath.Base(d.Subject.Filename), d.Subject.Start.Line, d.Summary, d.Detail))
	}
	if fleet == nil {
		return nil, strings.Join(said, "\n")
	}
	at := slices.IndexFunc(fleet.Bitbuckets, func(b *schema.Bitbucket) bool { return b.Label == "two" })
	return fleet.Bitbuckets[at].SSH.HostKeys, strings.Join(said, "\n")
}

// Every line of a string is a key, as ssh-keyscan and known_hosts have them; what
// is not is a mistake with its line, and nothing is left out unnoticed.
func TestHostKeysOfAFile(t *testing.T) {
	one, two := newHostKey(t), newHostKey(t)
	line := func(k ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) }
	hash := func(host string) string { return knownhosts.HashHostname(host) + " " }
	for name, test := range map[string]struct {
		block, text string
		mistake     string // "" for: both keys are pinned
	}{
		"two bare lines":       {"", line(one) + "\n" + line(two) + "\n", ""},
		"comments, blanks, CR": {"", "# bitbucket.two.example:7999 SSH-2.0\r\n\r\n" + line(one) + " git@host\r\n\n" + line(two), ""},
		"twice":                {"", line(one) + "\n" + line(two) + "\n" + line(one), ""},
		"as ssh-keyscan":       {"", "# a\nbitbucket.two.example " + line(one) + "\n# a\nbitbucket.two.example " + line(two), ""},
		"with a port":          {"", "[bitbucket.two.example]:7999 " + line(one) + "\n[bitbucket.two.example]:7999 " + line(two), ""},
		"several names":        {"", "bitbucket.two.example,10.0.0.1 " + line(one) + "\n*.two.example " + line(two), ""},
		"hashed":               {"", hash("bitbucket.two.example") + line(one) + "\n" + hash("[bitbucket.two.example]:7999") + line(two), ""},
		"hashed, own port":     {"port = 2222", hash("[bitbucket.two.example]:2222") + line(one) + "\n" + line(two), ""},
		"own host":             {`host = "git.two.example"`, "GIT.two.example " + line(one) + "\n[git.two.example]:7999 " + line(two), ""},

		"another host":      {"", line(one) + "\nother.example " + line(two), "line 2 of string 1, is the key of another host than bitbucket.two.example"},
		"another host, own": {`host = "git.two.example"`, line(one) + "\nbitbucket.two.example " + line(two), "another host than git.two.example"},
		"another port":      {"port = 2222", "[bitbucket.two.example]:7999 " + line(one), "is the key of another host"},
		"hashed, another":   {"", hash("other.example") + line(one), "is the key of another host"},
		"excluded":          {"", "*.two.example,!bitbucket.two.example " + line(one), "is the key of another host"},
		"an authority":      {"", "@cert-authority bitbucket.two.example " + line(one), "is marked @cert-authority"},
		"revoked":           {"", line(one) + "\n@revoked * " + line(two), "is marked @revoked"},
		"options":           {"", "no-pty " + line(one), "is the key of another host"},
		"no key":            {"", line(one) + "\nwords\n", "line 2 of string 1, is not a public key"},
		"a cut key":         {"", line(one)[:40], "is not a public key"},
		"only comments":     {"", "# nothing\n", "String 1 of host_keys holds no key"},
		"empty":             {"", "", "String 1 of host_keys holds no key"},
	} {
		t.Run(name, func(t *testing.T) {
			have, said := pinned(t, test.block, test.text)
			if test.mistake == "" {
				if want := []string{line(one), line(two)}; said != "" || !slices.Equal(have, want) {
					t.Errorf("have %q, %s, want %q", have, said, want)
				}
				return
			}
			if !strings.Contains(said, test.mistake) || !strings.Contains(said, "main.hcl:9 ") {
				t.Errorf("said %q, want %q at main.hcl:9", said, test.mistake)
			}
		})
	}
}
