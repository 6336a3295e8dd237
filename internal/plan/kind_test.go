package plan_test

import (
	"os"
	"regexp"
	"testing"
)

// TestKinds reads the source: each kind is there once, in the form that the schemas
// ask for. The compiler makes sure that each step has one.
func TestKinds(t *testing.T) {
	source, err := os.ReadFile("kind.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, m := range regexp.MustCompile(`func \((\w+)\) Kind\(\) string +\{ return "(.*)" \}`).FindAllStringSubmatch(string(source), -1) {
		step, kind := m[1], m[2]
		if other := seen[kind]; other != "" || !regexp.MustCompile(`^[a-z][a-z_]*$`).MatchString(kind) {
			t.Errorf("%s has the kind %q, which is not well formed or that of %s", step, kind, other)
		}
		seen[kind] = step
	}
	if len(seen) < 30 {
		t.Errorf("only %d kinds were found", len(seen))
	}
}
