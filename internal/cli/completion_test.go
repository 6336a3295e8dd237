package cli

import (
	"bytes"
	"strings"
	"testing"
)

// Completions come for four shells, and know the formats.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var out, problems bytes.Buffer
		if code := run([]string{"completion", shell}, strings.NewReader(""), &out, &problems); code != 0 || out.Len() < 1000 {
			t.Errorf("completion %s: exit code %d, %d bytes, %s", shell, code, out.Len(), problems.String())
		}
	}
	var out, problems bytes.Buffer
	if code := run([]string{"__complete", "plan", "--format", ""}, strings.NewReader(""), &out, &problems); code != 0 || !strings.Contains(out.String(), "sarif\n") {
		t.Errorf("completion of --format: exit code %d: %s", code, out.String())
	}
}
