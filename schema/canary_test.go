package schema

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// canaries are secrets by their looks, with the part that must not be shown.
func canaries() map[string]string {
	return map[string]string{
		"vault token":     `"hvs.CAESIcanaryJlU9JMYEhOPYv4igdhm9PnZ"`,
		"terraform token": `"canary0123456.atlasv1.canary0123456789abcdefghijklmnopqrstuvwxyz"`,
		"bitbucket token": `"BBDC-canaryMDM4MDQyNzk2MTAyOvEsq8yz"`,
		"random text":     `"q7Zp2canaryX9vK4mT1sWb8R3yN6"`,
		"secret id":       `"3fb5c2f4-58f5-4d6a-9f35-2b3f5f0a8f11"`,
		"url":             `"https://admin:canary@bitbucket.corp.example"`,
		"private key":     "<<-EOT\n-----BEGIN RSA PRIVATE KEY-----\ncanaryCANARYcanary\n-----END RSA PRIVATE KEY-----\nEOT\n",
	}
}

func hasCanary(text string) bool {
	return strings.Contains(strings.ToLower(text), "canary") || strings.Contains(text, "58f5-4d6a")
}

// A slot is an attribute in a file: a place that a secret can be put into.
type slot struct {
	path string // bitbucket.admin.username
	at   hcl.Range
	name hcl.Range
}

func slots(t *testing.T, src []byte) []slot {
	t.Helper()
	f, diags := hclsyntax.ParseConfig(src, "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var out []slot
	var walk func(prefix string, b *hclsyntax.Body)
	walk = func(prefix string, b *hclsyntax.Body) {
		for _, a := range attributes(b) {
			out = append(out, slot{path: prefix + a.Name, at: a.Expr.Range(), name: a.NameRange})
		}
		for _, kid := range b.Blocks {
			walk(prefix+kid.Type+".", kid.Body)
		}
	}
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatal("not native syntax")
	}
	walk("", body)
	return out
}

// TestCanary puts secrets into every attribute that the language has, whole and
// cut off, and looks for them in all that is shown.
func TestCanary(t *testing.T) {
	src := full(t)
	for _, s := range slots(t, src) {
		for _, kind := range []string{"vault token", "random text", "private key"} {
			canary := canaries()[kind]
			t.Run(s.path+"/"+kind, func(t *testing.T) {
				quiet(t, splice(src, s.at, canary))
				cut := strings.TrimSuffix(strings.TrimSuffix(canary, `"`), "EOT\n")
				quiet(t, splice(src, s.at, cut)) // does not parse
			})
		}
	}
}

// TestCanaryEverywhere puts each kind of secret into all attributes at once.
func TestCanaryEverywhere(t *testing.T) {
	for kind, canary := range canaries() {
		t.Run(kind, func(t *testing.T) {
			src := full(t)
			all := slots(t, src)
			slices.SortFunc(all, func(a, b slot) int { return b.at.Start.Byte - a.at.Start.Byte })
			for _, s := range all {
				src = splice(src, s.at, canary)
			}
			quiet(t, src)
		})
	}
}

// TestCanaryByPlace puts a secret that looks like any text where secrets are
// written by mistake.
func TestCanaryByPlace(t *testing.T) {
	src := full(t)
	done := map[string]bool{}
	names := []string{"password", "token", "secret", "private_key", "passphrase", "secret_id", "anything"}
	for _, s := range slots(t, src) {
		if last := s.path[strings.LastIndex(s.path, ".")+1:]; last == "vault" || last == "env" || strings.HasSuffix(last, "_env") {
			t.Run(s.path, func(t *testing.T) { quiet(t, splice(src, s.at, `"tiger-canary-lily"`)) })
		}
		block := s.path[:strings.LastIndex(s.path, ".")+1]
		if done[block] {
			continue
		}
		done[block] = true
		var text strings.Builder
		before := hcl.Range{Start: s.name.Start, End: s.name.Start}
		for _, name := range names {
			fmt.Fprintf(&text, "%s = \"tiger-canary-lily\"\n", name)
			fmt.Fprintf(&text, "%s_heredoc = <<EOT\ntiger-canary-lily\nEOT\n", name)
			fmt.Fprintf(&text, "x_%s = { %s = \"tiger-canary-lily\" }\n", name, name)
			fmt.Fprintf(&text, "%s {\n%s = \"tiger-canary-lily\"\n}\n", name, name)
			if name != "anything" { // what cannot be known for a secret
				t.Run(block+name, func(t *testing.T) {
					quiet(t, splice(src, before, name+" = \"tiger-canary-lily\n"))
					quiet(t, splice(src, before, name+" = <<EOT\ntiger-canary-lily\n"))
				})
			}
		}
		t.Run(block, func(t *testing.T) { quiet(t, splice(src, before, text.String())) })
	}
}

// TestCanaryInValues puts secrets where values come from outside the files.
func TestCanaryInValues(t *testing.T) {
	for kind, canary := range canaries() {
		value := strings.Trim(canary, `"`)
		t.Run(kind, func(t *testing.T) {
			quiet(t, full(t), "region="+value, "repositories="+value, "password="+value, value)
			quiet(t, []byte(`
variable "organization" {}
locals { rows = csvdecode(file("secrets.csv")) }
connection "a" {
  for_each     = local.rows
  organization = each.value.secret
  service_user = var.organization
}
connection "b" {
  for_each     = { for r in local.rows : r.secret => r }
  organization = "x"
}
bitbucket "x" { url = var.organization }
vault { path = "${var.organization}//" }
locals { n = parseint(var.organization, 10) }
`), "organization="+value)
		})
	}
}

func full(t *testing.T) []byte {
	t.Helper()
	src, err := os.ReadFile(filepath.Join("testdata", "full", "main.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func splice(src []byte, at hcl.Range, text string) []byte {
	return slices.Concat(src[:at.Start.Byte], []byte(text), src[at.End.Byte:])
}

// quiet loads the file and fails when the canary is in anything shown.
func quiet(t *testing.T, src []byte, vars ...string) {
	t.Helper()
	t.Chdir(t.TempDir()) // whose name is that of the test
	csv := "org,site,secret\nacme-01,corp,hvs.CAESIcanaryJlU9JMYEhOPYv4igdhm9PnZ\n"
	for name, text := range map[string][]byte{"main.hcl": src, "orgs.csv": []byte("org,site\nacme-01,corp\n"), "secrets.csv": []byte(csv)} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, source, diags := Load(".", Options{Version: "0.3.0", Vars: vars})
	var text strings.Builder
	if err := source.Write(&text, diags, 0, true); err != nil {
		t.Fatal(err)
	}
	if shown := text.String(); hasCanary(shown) {
		t.Errorf("a secret is shown:\n%s", shown)
	}
	for _, f := range source.Files {
		if len(certainSecrets(f.Bytes)) > 0 {
			t.Errorf("the source of snippets holds a secret:\n%s", f.Bytes)
		}
	}
	if _, diags = Format(src, "main.hcl"); len(diags) == 0 {
		return
	}
	text.Reset()
	if err := SourceOf("main.hcl", src).Write(&text, diags, 0, true); err != nil {
		t.Fatal(err)
	}
	if shown := text.String(); hasCanary(shown) {
		t.Errorf("fmt shows a secret:\n%s", shown)
	}
}

// TestFullIsFull keeps testdata/full in step with the grammar.
func TestFullIsFull(t *testing.T) {
	have := map[string]bool{}
	for _, s := range slots(t, full(t)) {
		have[s.path] = true
	}
	var missing []string
	var walk func(prefix string, s *shape)
	walk = func(prefix string, s *shape) {
		for name := range s.attrs {
			if !have[prefix+name] {
				missing = append(missing, prefix+name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.blocks)) {
			walk(prefix+name+".", s.blocks[name])
		}
	}
	walk("", fileShape())
	slices.Sort(missing)
	want := []string{
		// of other login methods, and the other kind of place
		"vault.auth.password_env", "vault.auth.role", "vault.auth.token_env", "vault.auth.token_file", "vault.auth.username",
		"vault.client_certificate.env", "vault.client_key.file", "connection.consumer.private_key.env", "connection.ssh_key.private_key.env", "connection.token.env",
	}
	for _, m := range missing {
		if !slices.Contains(want, m) {
			t.Errorf("testdata/full/main.hcl does not use %s", m)
		}
	}
}
