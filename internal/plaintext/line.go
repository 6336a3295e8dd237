// Package plaintext makes strings of other systems harmless where people and
// programs read them: on terminals, in the logs of pipelines, in JSON.
package plaintext

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one harmless line. White space that holds a line break or a
// tab becomes one space. Control characters, invisible characters, characters
// that turn the direction of writing and invalid UTF-8 are shown as escapes, and
// so is the beginning of a command to a pipeline's log.
func Line(s string) string {
	if isPlain(s) {
		return s
	}
	return disarm(escape(joinLines(s)))
}

// isPlain reports whether s is nothing but letters, signs and spaces of ASCII:
// nearly every string is, and a large fleet has many.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '#' {
			return false
		}
	}
	return true
}

// joinLines replaces white space that holds a line break or a tab by one space.
func joinLines(s string) string {
	if !strings.ContainsAny(s, "\n\r\t\v\f") {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		text := strings.IndexFunc(rest, func(r rune) bool { return !isBlank(r) })
		if text < 0 {
			text = len(rest)
		}
		if space := rest[:text]; strings.Trim(space, " ") == "" {
			b.WriteString(space)
		} else {
			b.WriteByte(' ')
		}
		next := strings.IndexFunc(rest[text:], isBlank)
		if next < 0 {
			next = len(rest) - text
		}
		b.WriteString(rest[text : text+next])
		rest = rest[text+next:]
	}
	return b.String()
}

// LineStart returns a line that nothing but white space stands before, so that it
// begins no command of GitHub's log (::error::), which does not mind white space.
func LineStart(line string) string {
	if strings.HasPrefix(strings.TrimLeft(line, " "), "::") {
		return strings.Replace(line, ":", `\x3a`, 1)
	}
	return line
}

func isBlank(r rune) bool { return strings.ContainsRune(" \n\r\t\v\f", r) }

// escape shows unsafe characters and invalid UTF-8 as escapes.
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unsafe(r):
			b.WriteString(s[i : i+size])
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// unsafe reports whether a reader may take r for more or less than a visible
// character: controls, formats (bidirectional, zero width), separators of lines,
// spaces that are none, private and unassigned characters.
func unsafe(r rune) bool {
	if r >= ' ' && r <= '~' {
		return false
	}
	return !strconv.IsPrint(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// disarm breaks commands that a pipeline's log obeys anywhere in a line:
// ##[warning] (GitHub's older form and Azure DevOps), ##vso[...], ##teamcity[...].
// GitHub's own runner looks for the first with IndexOf, in ActionCommand.TryParse.
func disarm(s string) string {
	if !strings.Contains(s, "##") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "##")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		if isLogCommand(s[i:]) {
			b.WriteString(`\x23`)
		} else {
			b.WriteByte('#')
		}
		s = s[i+1:]
	}
}

// isLogCommand reports whether s, which begins with ##, goes on as a command.
func isLogCommand(s string) bool {
	word := strings.TrimPrefix(s, "##")
	word = strings.TrimLeftFunc(word, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
	return strings.HasPrefix(word, "[")
}

// Cut shortens s to so many characters.
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
