package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/troubleshooting.md quotes is what the program says, and every kind
// of error that the adapters tell apart is in it.
func TestTroubleshooting(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	code := sources(t)
	quoted := regexp.MustCompile("^\\| (`[^|]+`) \\|")
	for line := range strings.Lines(string(page)) {
		found := quoted.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		for message := range strings.SplitSeq(found[1], "`, `") {
			for part := range strings.SplitSeq(strings.Trim(message, "`"), "…") {
				if part = strings.TrimSpace(part); part != "" && !strings.Contains(code, part) {
					t.Errorf("nothing says %q (of %s)", part, message)
				}
			}
		}
	}
	sentinel := regexp.MustCompile(`\bErr\w+\s*=\s*(?:errors\.New|fault\.(?:New|Under))\([^"\n]*"([^"]+)"`)
	kinds := sentinel.FindAllStringSubmatch(code, -1)
	if len(kinds) < 20 {
		t.Fatalf("only %d kinds of errors were found", len(kinds))
	}
	for _, kind := range kinds {
		if !strings.Contains(string(page), "`"+kind[1]+"`") {
			t.Errorf("docs/troubleshooting.md does not have %q", kind[1])
		}
	}
}

// sources returns the program's own text: strings that are put together over
// two lines are joined.
func sources(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, root := range []string{"../../internal/fleet", "../../internal/record", "../../internal/httpx", "../../internal/bitbucket", "../../internal/tfe", "../../internal/vault", "../../internal/systems", "../../internal/secret", "../../internal/names", "../../internal/plan", "../../internal/live", "../../internal/apply", "../../internal/authorize", "../../internal/drive", "."} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			b.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	joined := regexp.MustCompile(`"\s*\+\s*"`).ReplaceAllString(b.String(), "")
	return strings.NewReplacer(`\"`, `"`).Replace(joined)
}
