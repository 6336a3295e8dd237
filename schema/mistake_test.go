package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/bbsync/bbsync/schema"
)

// TestMistakes loads each archive of testdata/mistakes and compares all that is
// shown with its want.txt. The archive's files stand beside testdata/base.hcl,
// unless its comment begins with "alone"; the comment's "var:" lines are given
// as --var, its "version:" line as bbsync's version. UPDATE=1 rewrites want.txt.
func TestMistakes(t *testing.T) {
	archives, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	shown := map[schema.Rule]bool{}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			have, rules := show(t, archive)
			for _, r := range rules {
				shown[r] = true
			}
			if os.Getenv("UPDATE") != "" {
				update(t, path, archive, have)
				return
			}
			if diff := cmp.Diff(wantText(archive), have); diff != "" {
				t.Errorf("shown text differs (-want +have):\n%s", diff)
			}
		})
	}
	for _, r := range schema.Rules() {
		if !shown[r.Rule] {
			t.Errorf("no archive shows the rule %s", r.Rule)
		}
	}
}

func show(t *testing.T, archive *txtar.Archive) (string, []schema.Rule) {
	t.Helper()
	dir := t.TempDir()
	comment := string(archive.Comment)
	if !strings.HasPrefix(comment, "alone") {
		base, err := os.ReadFile("testdata/base.hcl")
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "base.hcl", base)
	}
	for _, f := range archive.Files {
		if f.Name != "want.txt" {
			write(t, dir, f.Name, f.Data)
		}
	}
	opts := schema.Options{Version: "0.3.0"}
	for line := range strings.Lines(comment) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "var: "); ok {
			opts.Vars = append(opts.Vars, v)
		}
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "var-file: "); ok {
			opts.VarFiles = append(opts.VarFiles, v)
		}
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "version: "); ok {
			opts.Version = v
		}
	}
	t.Chdir(dir)
	fleet, src, diags := schema.Load(".", opts)
	if (fleet == nil) != diags.HasErrors() {
		t.Errorf("fleet is nil: %v, diagnostics have errors: %v", fleet == nil, diags.HasErrors())
	}
	var text strings.Builder
	var rules []schema.Rule
	for _, d := range diags {
		rule := schema.RuleOf(d)
		rules = append(rules, rule)
		text.WriteString("[" + string(rule) + "] ")
		if err := src.Write(&text, hcl.Diagnostics{d}, 100, false); err != nil {
			t.Fatal(err)
		}
	}
	return strings.TrimSpace(text.String()) + "\n", rules
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantText(archive *txtar.Archive) string {
	for _, f := range archive.Files {
		if f.Name == "want.txt" {
			return string(f.Data)
		}
	}
	return ""
}

func update(t *testing.T, path string, archive *txtar.Archive, have string) {
	t.Helper()
	kept := archive.Files[:0]
	for _, f := range archive.Files {
		if f.Name != "want.txt" {
			kept = append(kept, f)
		}
	}
	archive.Files = append(kept, txtar.File{Name: "want.txt", Data: []byte(have)})
	// t.Chdir is undone before clean-up only, so that the path must not depend
	// on the folder.
	if err := os.WriteFile(filepath.Join(sourceDir(), path), txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}
