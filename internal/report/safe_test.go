package report_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/bbsync/bbsync/internal/report"
)

func TestSafe(t *testing.T) {
	for have, want := range map[string]string{
		"plain, ünicode, 日本, 😀": "plain, ünicode, 日本, 😀",
		"two\nlines\tand a tab": "two\nlines\tand a tab",
		"\x1b[2Jgone":           `\x1b[2Jgone`,
		"\x1b]0;title\x07":      `\x1b]0;title\x07`,
		"c1 \u009b31m":          `c1 \x9b31m`,
		"raw c1 \x9b31m":        `raw c1 \x9b31m`,
		"back\rover":            `back\x0dover`,
		"del\x7f nul\x00":       `del\x7f nul\x00`,
		"turned \u202egnp.exe":  `turned \u202egnp.exe`,
		"hidden\u200bspace":     `hidden\u200bspace`,
		"a real \ufffd stays":   "a real \ufffd stays",
	} {
		if got := report.Safe(have); got != want {
			t.Errorf("%q: have %q, want %q", have, got, want)
		}
	}
}

// FuzzSafe: whatever a server calls a thing, what is shown of it is printable.
func FuzzSafe(f *testing.F) {
	for _, text := range []string{"name", "\x1b[31m", "\u202e", "\xff\xfe", "a\nb"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		safe := report.Safe(text)
		if !utf8.ValidString(safe) {
			t.Fatalf("%q is not UTF-8", safe)
		}
		for _, r := range safe {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("%q holds %U", safe, r)
			}
		}
		if report.Safe(safe) != safe {
			t.Fatalf("%q changes once more", safe)
		}
	})
}
