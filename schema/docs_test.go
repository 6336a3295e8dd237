package schema

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

const reference = "../docs/language.md"

// TestReference keeps docs/language.md in step with the grammar, the functions
// and the rules. UPDATE=1 rewrites the table of rules, its last part.
func TestReference(t *testing.T) {
	raw, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	const head = "| rule | demands |\n|---|---|\n"
	before, _, ok := strings.Cut(doc, head)
	if !ok {
		t.Fatal("the table of rules is missing")
	}
	var table strings.Builder
	for _, r := range Rules() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", r.Rule, r.Text)
	}
	if want := before + head + table.String(); doc != want {
		if os.Getenv("UPDATE") == "" {
			t.Error("the table of rules differs; UPDATE=1 rewrites it")
		} else if err := os.WriteFile(reference, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name := range functions("") {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("the function %s is missing", name)
		}
	}
	names := map[string]bool{}
	var walk func(s *shape)
	walk = func(s *shape) {
		for name := range s.attrs {
			names[name] = true
		}
		for name, kid := range s.blocks {
			names[name] = true
			walk(kid)
		}
	}
	walk(fileShape())
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !strings.Contains(doc, "`"+name+"`") && !strings.Contains(doc, "`"+name+" ") && !strings.Contains(doc, "### "+name+"\n") {
			t.Errorf("%s is missing", name)
		}
	}
}
