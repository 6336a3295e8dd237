package plaintext

import (
	"fmt"
	"unicode/utf8"
)

// JSON returns JSON with the characters that a terminal or a pipeline's log could
// take for more than characters as \u escapes. Anyone who decodes it gets the same
// values.
func JSON(text []byte) []byte { return escapeJSON(text, unsafe) }

// ASCIIJSON returns JSON as JSON does, with all characters beyond ASCII as escapes.
func ASCIIJSON(text []byte) []byte {
	return escapeJSON(text, func(r rune) bool { return r > '~' || unsafe(r) })
}

func escapeJSON(text []byte, escaped func(rune) bool) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '\n' || r == '\t': // between values: strings hold none
			out = append(out, text[0])
		case r == '#' && len(text) > 1 && text[1] == '#', escaped(r) && r <= 0xffff:
			out = fmt.Appendf(out, `\u%04x`, r)
		case escaped(r):
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out
}
