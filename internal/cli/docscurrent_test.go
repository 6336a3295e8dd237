//go:build docs

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The committed pages are those of the commands; make docs writes them.
func TestDocsAreCurrent(t *testing.T) {
	dir := t.TempDir()
	man := filepath.Join(dir, "man")
	markdown := filepath.Join(dir, "md")
	var out, problems bytes.Buffer
	if code := run([]string{"docs", "--man", man, "--markdown", markdown}, strings.NewReader(""), &out, &problems); code != 0 {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	const committed = "../../docs/commands"
	pages := readFolder(t, markdown)
	have := readFolder(t, committed)
	for name, want := range pages {
		if have[name] != want {
			t.Errorf("docs/commands/%s is not what the commands say: make docs", name)
		}
	}
	for name := range have {
		if _, ok := pages[name]; !ok {
			t.Errorf("docs/commands/%s is of a command that is gone", name)
		}
	}
	if text := readFolder(t, man)["bbsync-plan.1"]; !strings.Contains(text, ".SH OPTIONS") || !strings.Contains(text, "what apply would do") {
		t.Errorf("the man page of plan:\n%s", text)
	}
}

func readFolder(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}
