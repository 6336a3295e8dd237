package schema

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// This file keeps secrets that were written into the files by mistake out of
// everything that is shown. The rules are:
//   - What certainly is a secret (a private key, a token with a known prefix,
//     a password in a URL) is an error wherever it stands, and masked.
//   - What may be one (the value of an attribute with a secret's name, of an
//     attribute that the language does not know, a text as random as a key)
//     is masked in snippets and messages, and otherwise no concern of ours.
//
// Masking replaces bytes by stars in the copy of the file that snippets are
// printed from; ranges keep their meaning.

var (
	certainSecret = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?-----END [A-Z0-9 ]*PRIVATE KEY-----|.*)` +
		`|\bhv[sbr]\.[A-Za-z0-9_-]{20,}` +
		`|\b[A-Za-z0-9]{5,}\.atlasv1\.[A-Za-z0-9_-]{5,}` +
		`|\bBBDC-[A-Za-z0-9+/=]{20,}` +
		`|\b(?:ghp|gho|ghs|ghr|github_pat|glpat|AKIA)[_-]?[A-Za-z0-9_-]{16,}` +
		`|://[^/\s"'@:]*:[^/\s"'@]+@`)
	maybeSecret = regexp.MustCompile(`[A-Za-z0-9+/=_]{20,}` +
		`|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b`)
	secretName = regexp.MustCompile(`(?i)(?:^|[_-])(?:password|passwd|passphrase|secret|secret_id|private_key|api_key|token|pin|credentials?)$`)
	secretLine = regexp.MustCompile(`(?im)^.*?\b[\w-]*(?:password|passwd|passphrase|secret|secret_id|private_key|api_key|token)"?[ \t]*[=:][ \t]*(\S.*)$`)
	heredocTag = regexp.MustCompile(`<<-?(\w+)`)
)

// certainKind says what kind of secret a certain one is.
func certainKind(text string) string {
	switch {
	case strings.HasPrefix(text, "-----BEGIN"):
		return "a private key"
	case strings.HasPrefix(text, "://"):
		return "a password in a URL"
	default:
		return "a token"
	}
}

// findCertain returns where the text holds a certain secret, nil for nowhere. It
// looks for the fixed parts first, which is much faster on a large file.
func findCertain(src []byte) []int {
	for _, part := range []string{"PRIVATE KEY", "hvs.", "hvb.", "hvr.", ".atlasv1.", "BBDC-", "gh", "glpat", "AKIA", "://"} {
		if bytes.Contains(src, []byte(part)) {
			return certainSecret.FindIndex(src)
		}
	}
	return nil
}

// looksRandom reports whether a run of characters changes between lower case,
// upper case and digits as often as keys do and words do not.
func looksRandom(s string) bool {
	if strings.Count(s, "-") == 4 && len(s) == 36 {
		return true
	}
	class := func(c byte) int {
		switch {
		case c >= 'a' && c <= 'z':
			return 1
		case c >= 'A' && c <= 'Z':
			return 2
		case c >= '0' && c <= '9':
			return 3
		default:
			return 4
		}
	}
	changes := 0
	for i := 1; i < len(s); i++ {
		if class(s[i]) != class(s[i-1]) {
			changes++
		}
	}
	return changes*3 >= len(s)
}

// A masker holds the copies of the files that may be shown, and the literals
// that may not.
type masker struct {
	files  map[string]*hcl.File
	hidden map[string]bool
	order  []string // hidden, longest first
}

func newMasker() *masker {
	return &masker{files: map[string]*hcl.File{}, hidden: map[string]bool{}}
}

// add keeps a masked copy of the file for snippets.
func (m *masker) add(name string, f *hcl.File, src []byte) {
	shown := bytes.Clone(src)
	for _, at := range certainSecret.FindAllIndex(src, -1) {
		blot(shown[at[0]:at[1]])
	}
	for _, at := range maybeSecret.FindAllIndex(src, -1) {
		if looksRandom(string(src[at[0]:at[1]])) {
			blot(shown[at[0]:at[1]])
		}
	}
	m.files[name] = &hcl.File{Bytes: shown, Nav: f.Nav}
}

// lines masks by the look of lines, for a file that does not parse.
func (m *masker) lines(name string, src []byte) {
	shown := m.files[name].Bytes
	for _, at := range secretLine.FindAllSubmatchIndex(src, -1) {
		start, end := at[2], at[3]
		if tag := heredocTag.FindSubmatch(src[start:end]); tag != nil {
			end = heredocEnd(src, end, tag[1])
		}
		blot(shown[start:end])
	}
}

// heredocEnd returns where the heredoc ends, at the latest with the file.
func heredocEnd(src []byte, from int, tag []byte) int {
	for from < len(src) {
		line := src[from:]
		next := len(src)
		if i := bytes.IndexByte(line[1:], '\n'); i >= 0 {
			line, next = line[:i+1], from+1+i
		}
		if bytes.Equal(bytes.TrimSpace(line), tag) {
			return from
		}
		from = next
	}
	return len(src)
}

// blot replaces all but the ends of lines.
func blot(b []byte) {
	for i, c := range b {
		if c != '\n' && c != '\r' {
			b[i] = '*'
		}
	}
}

// named masks the values of attributes and object keys with a secret's name.
// Those of objects may reach any message; those of attributes that stand in
// blocks of the language are never evaluated.
func (m *masker) named(body *hclsyntax.Body) {
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.Attribute:
			if secretName.MatchString(n.Name) {
				m.snippets(n.Expr)
			}
		case *hclsyntax.ObjectConsExpr:
			for _, item := range n.Items {
				if secretName.MatchString(keyName(item.KeyExpr)) {
					m.everywhere(item.ValueExpr)
				}
			}
		}
		return nil
	})
}

// keyName returns the literal name of an object's key, "" for a computed one.
func keyName(e hclsyntax.Expression) string {
	if word := hcl.ExprAsKeyword(e); word != "" {
		return word
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
		return ""
	}
	return v.AsString()
}

// snippets masks every literal of the expression where lines are shown.
func (m *masker) snippets(e hclsyntax.Expression) {
	m.literals(e, func(cty.Value) {})
}

// everywhere masks every literal of the expression, in messages too.
func (m *masker) everywhere(e hclsyntax.Expression) {
	m.literals(e, m.hide)
}

func (m *masker) literals(e hclsyntax.Expression, also func(cty.Value)) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		lit, ok := n.(*hclsyntax.LiteralValueExpr)
		if !ok || lit.Val.IsNull() {
			return nil
		}
		if f := m.files[lit.SrcRange.Filename]; f != nil && lit.SrcRange.CanSliceBytes(f.Bytes) {
			blot(lit.SrcRange.SliceBytes(f.Bytes))
		}
		also(lit.Val)
		return nil
	})
}

// hideAtLeast is the length below which hiding a text would garble messages
// more than it protects.
const hideAtLeast = 5

func (m *masker) hide(v cty.Value) {
	if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
		return
	}
	text := strings.TrimSpace(v.AsString())
	if len(text) < hideAtLeast || m.hidden[text] {
		return
	}
	m.hidden[text] = true
	m.order = append(m.order, text)
	slices.SortFunc(m.order, func(a, b string) int { return len(b) - len(a) })
}

// hiddenText stands for a secret in messages.
const hiddenText = "(hidden)"

// text returns a message without secrets.
func (m *masker) text(s string) string {
	for _, h := range m.order {
		s = strings.ReplaceAll(s, h, hiddenText)
	}
	s = certainSecret.ReplaceAllString(s, hiddenText)
	return maybeSecret.ReplaceAllStringFunc(s, func(run string) string {
		if looksRandom(run) {
			return hiddenText
		}
		return run
	})
}
