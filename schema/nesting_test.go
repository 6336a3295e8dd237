package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/schema"
)

// TestDeeplyNestedFiles has files that overflow the stack of HCL's parser, and of
// those who walk what it returns.
func TestDeeplyNestedFiles(t *testing.T) {
	const n = 12_000
	for _, part := range []string{"[", "(", "{ a = ", "-", "!", "f(", "[[],", "true ? ", "1 +\n", `"${`, "a[", "x ? y : ", "[for a in ", "1-", "a -", "\"a\"-"} {
		body := "locals {\n  x = (" + strings.Repeat(part, n) + "\n}\n"
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, diags := schema.Load(dir, schema.Options{})
		_, format := schema.Format([]byte(body), "main.hcl")
		schema.SourceOf("main.hcl", []byte(body))
		if !strings.Contains(diags.Error(), "Nested too deep") || !strings.Contains(format.Error(), "Nested too deep") {
			t.Errorf("%q: %.200s; %.200s", part, diags.Error(), format.Error())
		}
	}
	for _, fine := range []string{
		"x = [" + strings.Repeat("-1 + 2, ", 20_000) + "]\n", "x = [\n" + strings.Repeat("[1],\n", 20_000) + "]\n",
		strings.Repeat("x = 1 + 2\n", 20_000), "x = \"" + strings.Repeat("[({", 20_000) + "\"\n", "# " + strings.Repeat("[", 20_000) + "\n",
		"x = {\n" + strings.Repeat("a = -1\n", 20_000) + "}\n", "x = \"" + strings.Repeat("${1 + 2}", 20_000) + "\"\n", "x = a" + strings.Repeat("-a", 20_000) + "\n",
	} {
		if _, diags := schema.Format([]byte(fine), "main.hcl"); strings.Contains(diags.Error(), "Nested too deep") {
			t.Errorf("%.30q is refused: %s", fine, diags.Error())
		}
	}
}
