package schema_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bbsync/bbsync/schema"
)

// seeds are the files of all mistakes and of the full configuration.
func seeds(f *testing.F) {
	f.Helper()
	archives, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".hcl") {
				f.Add(file.Data)
			}
		}
	}
	full, err := os.ReadFile("testdata/full/main.hcl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
}

// FuzzLoad holds Load to its word: no panic whatever the file, a Fleet if and
// only if there is no error, a rule and a printable place for every diagnostic,
// the same again the second time.
func FuzzLoad(f *testing.F) {
	seeds(f)
	base, err := os.ReadFile("testdata/base.hcl")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		dir := t.TempDir()
		write(t, dir, "base.hcl", base)
		write(t, dir, "main.hcl", src)
		fleet, source, diags := schema.Load(dir, schema.Options{Version: "0.3.0"})
		if (fleet == nil) != diags.HasErrors() {
			t.Fatalf("fleet is nil: %v, errors: %v", fleet == nil, diags)
		}
		for _, d := range diags {
			if schema.RuleOf(d) == "" {
				t.Errorf("no rule: %v", d)
			}
		}
		var text, again bytes.Buffer
		if err := source.Write(&text, diags, 80, false); err != nil {
			t.Fatal(err)
		}
		_, source, diags = schema.Load(dir, schema.Options{Version: "0.3.0"})
		if err := source.Write(&again, diags, 80, false); err != nil {
			t.Fatal(err)
		}
		if text.String() != again.String() {
			t.Errorf("not the same twice:\n%s\n%s", text.String(), again.String())
		}
		addresses := map[string]bool{}
		if fleet == nil {
			return
		}
		for _, c := range fleet.Connections {
			if addresses[c.Address] || c.Terraform == nil || c.Bitbucket == nil || c.Record == "" || c.Link.URL == "" || c.Name == "" {
				t.Errorf("a connection that is not whole: %+v", c)
			}
			addresses[c.Address] = true
		}
	})
}

// FuzzFormat holds Format to its word: a file that does not parse stays as it
// is, and a second pass changes nothing.
func FuzzFormat(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		once, diags := schema.Format(src, "main.hcl")
		if diags.HasErrors() {
			if !bytes.Equal(once, src) {
				t.Error("changed in spite of errors")
			}
			return
		}
		twice, diags := schema.Format(once, "main.hcl")
		if diags.HasErrors() || !bytes.Equal(once, twice) {
			t.Errorf("formatting again changes it (%v):\n%q\n%q\n%q", diags, src, once, twice)
		}
	})
}
