package httpx

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// forms returns the strings in which an answer may repeat a secret. A PEM block is
// searched by its lines: its armor is no secret, and servers wrap it differently.
func forms(s string) []string {
	if strings.Contains(s, "-----BEGIN") {
		all := base64Forms(s)
		for _, line := range pemLines(s) {
			all = append(all, forms(line)...)
		}
		return all
	}
	all := append(base64Forms(s), s, strings.ReplaceAll(s, "/", `\/`), html.EscapeString(s),
		url.QueryEscape(s), url.PathEscape(s), lowerHex(url.QueryEscape(s)), lowerHex(url.PathEscape(s)))
	for _, escapeHTML := range []bool{false, true} {
		once := jsonEscaped(s, escapeHTML)
		all = append(all, once, jsonEscaped(once, escapeHTML)) // twice: an answer that quotes a JSON body
	}
	all = slices.DeleteFunc(all, func(form string) bool { return len(form) < minSecret })
	slices.Sort(all)
	return slices.Compact(all)
}

func base64Forms(s string) []string {
	var all []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		all = append(all, encoding.EncodeToString([]byte(s)))
		for before := range 3 {
			all = append(all, inside(encoding, s, before))
		}
	}
	return all
}

// pemLines returns the lines between the armor, and all of them as one string.
func pemLines(s string) []string {
	var lines []string
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); len(line) >= partLength && !strings.HasPrefix(line, "-----") {
			lines = append(lines, line)
		}
	}
	return append(lines, strings.Join(lines, ""))
}

func jsonEscaped(s string, escapeHTML bool) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	if err := encoder.Encode(s); err != nil { // a string always marshals
		return s
	}
	return strings.TrimSuffix(b.String()[1:], "\"\n")
}

var percentEncoded = regexp.MustCompile(`%[0-9A-F]{2}`)

func lowerHex(s string) string { return percentEncoded.ReplaceAllStringFunc(s, strings.ToLower) }

// inside returns what the base64 of a longer string contains for certain when s
// stands in it after so many bytes (modulo 3), as a password does after its user.
func inside(encoding *base64.Encoding, s string, before int) string {
	text := strings.Repeat("x", before) + s
	text = text[:len(text)/3*3] // the last, incomplete group depends on what follows
	if before == 0 {
		return encoding.EncodeToString([]byte(text))
	}
	return encoding.EncodeToString([]byte(text))[min(4, len(text)/3*4):] // and the first on what stands before
}
