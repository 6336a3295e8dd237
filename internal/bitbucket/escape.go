package bitbucket

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of one text of the server an error repeats, in runes.
const maxText = 600

// escape makes a text of the server safe to print: white space becomes one
// space, control characters, invisible and direction-changing ones are shown as
// escapes, and it is cut at maxText.
func escape(text string) string {
	var b strings.Builder
	space, n := false, 0
	for _, r := range text { // invalid UTF-8 comes as U+FFFD
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			space = b.Len() > 0
			continue
		}
		if n++; n > maxText {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if r != utf8.RuneError && (unicode.IsControl(r) || !unicode.IsPrint(r)) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
