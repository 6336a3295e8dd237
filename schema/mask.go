package schema

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	secretName = regexp.MustCompile(`(?i)(?:^|[_-])(?:password|passwd|passphrase|secret|secret_id|private_key|api_key|token|pin|credentials?)$`)
	secretLine = regexp.MustCompile(`(?im)^.*?\b[\w-]*(?:password|passwd|passphrase|secret|secret_id|private_key|api_key|token)"?[ \t]*[=:][ \t]*(\S.*)$`)
	heredocTag = regexp.MustCompile(`<<-?(\w+)`)
)

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
	for _, at := range slices.Concat(certainSecrets(src), randomRuns(src)) {
		blot(shown[at.from:at.to])
	}
	m.files[name] = &hcl.File{Bytes: shown, Nav: f.Nav}
}

// tame replaces what a terminal would obey, and what nobody would see: whoever looks
// at the mistakes of a proposed change has not read it yet. The length stays, and
// the mark that a file may begin with, too.
func tame(shown []byte) {
	for shown = bytes.TrimPrefix(shown, []byte(byteOrderMark)); len(shown) > 0; {
		r, size := utf8.DecodeRune(shown)
		if !strconv.IsPrint(r) && !strings.ContainsRune("\n\r\t", r) {
			copy(shown[:size], "????")
		}
		shown = shown[size:]
	}
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
	judged := map[string]bool{} // a large file has few names
	secret := func(name string) bool {
		is, known := judged[name]
		if !known {
			is = secretName.MatchString(name)
			judged[name] = is
		}
		return is
	}
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.Attribute:
			if secret(n.Name) {
				m.snippets(n.Expr)
			}
		case *hclsyntax.ObjectConsExpr:
			for _, item := range n.Items {
				if secret(keyName(item.KeyExpr)) {
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
	src := []byte(s)
	for _, find := range []func([]byte) []span{certainSecrets, randomRuns} {
		found := find(src)
		slices.Reverse(found)
		for _, at := range found {
			src = slices.Concat(src[:at.from], []byte(hiddenText), src[at.to:])
		}
	}
	return string(src)
}
