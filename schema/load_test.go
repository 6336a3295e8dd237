package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/schema"
)

// TestFull loads a configuration that uses everything the language has, and
// compares the whole Fleet, places apart. UPDATE=1 rewrites it.
func TestFull(t *testing.T) {
	fleet, src, diags := schema.Load("testdata/full", schema.Options{
		Version: "0.3.0-dev",
		Env:     schema.VarsFromEnv([]string{"BBSYNC_VAR_region=xx", "BBSYNC_VAR_other=1", "HOME=/root"}),
		Vars:    []string{"region=us", "region=eu"},
	})
	if len(diags) > 0 {
		var text bytes.Buffer
		_ = src.Write(&text, diags, 0, false)
		t.Fatal(text.String())
	}
	have := withoutPlaces(t, fleet)
	const golden = "testdata/full.json"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, have, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(have)); diff != "" {
		t.Errorf("fleet differs (-want +have):\n%s", diff)
	}
}

func withoutPlaces(t *testing.T, fleet *schema.Fleet) []byte {
	t.Helper()
	raw, err := json.Marshal(fleet)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(prune(tree), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func prune(tree any) any {
	switch tree := tree.(type) {
	case map[string]any:
		for _, name := range []string{"Range", "Source", "MaxRemovalsRange"} {
			delete(tree, name)
		}
		for name, v := range tree {
			tree[name] = prune(v)
		}
	case []any:
		for i, v := range tree {
			tree[i] = prune(v)
		}
	}
	return tree
}

// TestPlaces shows that the places of what was written, and of what was not,
// are known.
func TestPlaces(t *testing.T) {
	fleet, _, _ := schema.Load("testdata/full", schema.Options{Vars: []string{"region=eu"}})
	src, err := os.ReadFile("testdata/full/main.hcl")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(fleet.Connections, func(c *schema.Connection) bool { return c.Address == "connection.brought" })
	for attr, want := range map[string]string{
		"organization":              `organization     = "acme-04"`,
		"application_link.url":      `url  = "main"`,
		"application_link":          `application_link`,
		"ssh_key.private_key.vault": `vault = "secret/keys/acme-04#ssh"`,
		"protect":                   `connection "brought"`, // left out
	} {
		at := fleet.Connections[i].Where(attr)
		if have := string(at.SliceBytes(src)); have != want {
			t.Errorf("%s is at %s: %s, want %s", attr, at, have, want)
		}
	}
}

// TestOrder shows that the order of a list is kept, and that a new row changes
// no address.
func TestOrder(t *testing.T) {
	load := func(csv string) []string {
		dir := t.TempDir()
		base, err := os.ReadFile("testdata/base.hcl")
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "base.hcl", base)
		write(t, dir, "orgs.csv", []byte(csv))
		write(t, dir, "main.hcl", []byte(`
connection "team" {
  for_each     = csvdecode(file("orgs.csv"))
  terraform    = terraform.hcp
  organization = each.value.org
  bitbucket    = bitbucket.corp
  service_user = "svc-${each.key}"
}
`))
		fleet, _, diags := schema.Load(dir, schema.Options{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var out []string
		for _, c := range fleet.Connections {
			out = append(out, c.Address+" "+c.ServiceUser)
		}
		return out
	}
	want := []string{`connection.team["b"] svc-b`, `connection.team["a"] svc-a`}
	if diff := cmp.Diff(want, load("org\nb\na\n")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, load("\xef\xbb\xbforg\r\nb\r\na\r\n")); diff != "" {
		t.Errorf("as a spreadsheet exports it: %s", diff)
	}
	want = []string{`connection.team["c"] svc-c`, `connection.team["b"] svc-b`, `connection.team["a"] svc-a`}
	if diff := cmp.Diff(want, load("org\nc\nb\na\n")); diff != "" {
		t.Error(diff)
	}
}

func TestRemovedCovers(t *testing.T) {
	for _, c := range []struct {
		from, address string
		want          bool
	}{
		{`connection.a`, `connection.a`, true},
		{`connection.a`, `connection.a["x"]`, true},
		{`connection.a`, `connection.ab`, false},
		{`connection.a`, `connection.ab["x"]`, false},
		{`connection.a["x"]`, `connection.a["x"]`, true},
		{`connection.a["x"]`, `connection.a["y"]`, false},
		{`connection.a["x"]`, `connection.a`, false},
	} {
		if have := (schema.Removed{From: c.from}).Covers(c.address); have != c.want {
			t.Errorf("%s covers %s: %v, want %v", c.from, c.address, have, c.want)
		}
	}
}
