package schema

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// This file knows secrets by their looks. Files may be large, so that regular
// expressions are tried only on lines that hold a fixed part of a secret.

// A span is a part of a text, from inclusive and to exclusive.
type span struct{ from, to int }

var (
	pemKey = regexp.MustCompile(`(?is)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY-----|.*)`)
	prefix = regexp.MustCompile(`(?i)\bhv[sbr]\.[A-Z0-9_-]{20,}` +
		`|\b[A-Z0-9]{5,}\.atlasv1\.[A-Z0-9_-]{5,}` +
		`|\bBBDC-[A-Z0-9+/=]{20,}` +
		`|\b(?:ghp_|gho_|ghs_|ghr_|github_pat_|glpat-|AKIA)[A-Z0-9_-]{16,}`)
	urlUser = regexp.MustCompile(`://[^/\s"'@:]*:[^/\s"'@]+@`)
	uuid    = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)
)

// certainSecrets returns where the text certainly holds a secret, in order.
func certainSecrets(src []byte) []span {
	lower := lowerASCII(src)
	var out []span
	if bytes.Contains(lower, []byte("private key-----")) {
		for _, at := range pemKey.FindAllIndex(src, -1) {
			out = append(out, span{at[0], at[1]})
		}
	}
	for _, part := range []string{"hvs.", "hvb.", "hvr.", ".atlasv1.", "bbdc-", "ghp_", "gho_", "ghs_", "ghr_", "github_pat_", "glpat-", "akia"} {
		out = append(out, onLines(src, lower, part, prefix)...)
	}
	if bytes.IndexByte(src, '@') >= 0 {
		out = append(out, onLines(src, lower, "@", urlUser)...)
	}
	return merge(out)
}

// lowerASCII keeps offsets, which lower case of other letters may not.
func lowerASCII(src []byte) []byte {
	out := bytes.Clone(src)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// onLines tries the expression on lines that hold the part.
func onLines(src, lower []byte, part string, e *regexp.Regexp) []span {
	var out []span
	for from := 0; from < len(src); {
		i := bytes.Index(lower[from:], []byte(part))
		if i < 0 {
			break
		}
		start := bytes.LastIndexByte(src[:from+i], '\n') + 1
		end := len(src)
		if j := bytes.IndexByte(src[from+i:], '\n'); j >= 0 {
			end = from + i + j
		}
		for _, at := range e.FindAllIndex(src[start:end], -1) {
			out = append(out, span{start + at[0], start + at[1]})
		}
		from = end + 1
	}
	return out
}

// merge sorts the spans and joins those that overlap.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.from < out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

// certainKind says which kind of secret a text holds, "" for none.
func certainKind(src []byte) string {
	found := certainSecrets(src)
	if len(found) == 0 {
		return ""
	}
	switch secret := string(src[found[0].from:found[0].to]); {
	case strings.HasPrefix(secret, "-----"):
		return "a private key"
	case strings.HasPrefix(secret, "://"):
		return "a password in a URL"
	default:
		return "a token"
	}
}

// leastRandom is the length from which a run may be a secret.
const leastRandom = 20

// randomRuns returns runs of letters and digits that look like keys, in order.
func randomRuns(src []byte) []span {
	var out []span
	start, dashes := 0, 0
	for i := 0; i <= len(src); i++ {
		if i < len(src) && runClass(src[i]) != 0 {
			if src[i] == '-' {
				dashes++
			}
			continue
		}
		if i-start >= leastRandom {
			out = append(out, randomParts(src, span{start, i}, dashes)...)
		}
		start, dashes = i+1, 0
	}
	return out
}

// randomParts looks at a run as UUIDs, and as what is between its dashes.
func randomParts(src []byte, run span, dashes int) []span {
	var out []span
	if dashes >= 4 {
		for _, at := range uuid.FindAllIndex(src[run.from:run.to], -1) {
			out = append(out, span{run.from + at[0], run.from + at[1]})
		}
	}
	from := run.from
	for part := range bytes.SplitSeq(src[run.from:run.to], []byte("-")) {
		if len(part) >= leastRandom && looksRandom(part) {
			out = append(out, span{from, from + len(part)})
		}
		from += len(part) + 1
	}
	return merge(out)
}

// runClass tells lower case, upper case, digits and the signs of keys apart; 0
// is for what ends a run.
func runClass(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return 1
	case c >= 'A' && c <= 'Z':
		return 2
	case c >= '0' && c <= '9':
		return 3
	case c == '+' || c == '/' || c == '=' || c == '_' || c == '-':
		return 4
	default:
		return 0
	}
}

// looksRandom reports whether a run of characters changes between lower case,
// upper case, digits and signs as often as keys do and words do not.
func looksRandom(s []byte) bool {
	changes := 0
	for i := 1; i < len(s); i++ {
		if runClass(s[i]) != runClass(s[i-1]) {
			changes++
		}
	}
	return changes*3 >= len(s)
}
