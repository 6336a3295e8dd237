package schema_test

import (
	"testing"

	"github.com/bbsync/bbsync/schema"
)

// TestFormatKeepsLineBreaks has files of editors that end lines as Windows does: a
// last line that ends otherwise would show in every diff.
func TestFormatKeepsLineBreaks(t *testing.T) {
	for src, want := range map[string]string{
		"a {\r\n  x = 1\r\n}\r\n":              "a {\r\n  x = 1\r\n}\r\n",
		"a {\r\nx=1 # one\r\n}":                "a {\r\n  x = 1 # one\r\n}\r\n",
		"x = 1\r\n":                            "x = 1\r\n",
		"a {\n  x = 1\n}\n\n":                  "a {\n  x = 1\n}\n",
		"x = <<EOT\r\ntext\r\nEOT\r\n\r\n\r\n": "x = <<EOT\r\ntext\r\nEOT\r\n",
	} {
		have, diags := schema.Format([]byte(src), "main.hcl")
		if diags.HasErrors() || string(have) != want {
			t.Errorf("%q: have %q, want %q, %v", src, have, want, diags)
		}
	}
}
