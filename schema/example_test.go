package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/schema"
)

// TestExamples loads every example without a warning, and finds it formatted
// and begun with a comment that says what it is about.
func TestExamples(t *testing.T) {
	mains, err := filepath.Glob("../examples/*/main.hcl")
	if err != nil || len(mains) < 8 {
		t.Fatalf("%d examples, %v", len(mains), err)
	}
	for _, main := range mains {
		dir := filepath.Dir(main)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			fleet, src, diags := schema.Load(dir, schema.Options{Version: "0.1.0"})
			if len(diags) > 0 {
				var text strings.Builder
				_ = src.Write(&text, diags, 0, false)
				t.Fatal(text.String())
			}
			if len(fleet.Connections) == 0 {
				t.Error("no connections")
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				formatted(t, file)
			}
			text, err := os.ReadFile(main)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") {
				t.Error("main.hcl does not begin with a comment")
			}
		})
	}
}

func formatted(t *testing.T, file string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	after, diags := schema.Format(before, file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if string(before) != string(after) {
		t.Errorf("%s is not formatted; it should be:\n%s", file, after)
	}
}
