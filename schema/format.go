package schema

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format returns the file in canonical layout: only white space changes, never
// the meaning, and formatting again changes nothing. A file that does not parse
// comes back as it was, with the diagnostics.
func Format(src []byte, filename string) ([]byte, hcl.Diagnostics) {
	f, diags := parseConfig(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		return src, maskedSyntax(f, diags, src, filename)
	}
	out := layout(src)
	// hclwrite settles the alignment of some comments in a second pass.
	for range 4 {
		again := layout(out)
		if bytes.Equal(again, out) {
			break
		}
		out = again
	}
	if !sameTokens(src, out) {
		return src, hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Left as it is", Extra: ruleSyntax,
			Detail:  "Formatting this file would change more than its white space, so it was not formatted.",
			Subject: &hcl.Range{Filename: filename, Start: hcl.InitialPos, End: hcl.InitialPos},
		}}
	}
	return out, nil
}

// layout formats and lets the file end in one line break, of the kind that it has.
func layout(src []byte) []byte {
	out := bytes.TrimRight(hclwrite.Format(src), "\r\n")
	if len(out) == 0 {
		return nil
	}
	if bytes.Contains(src, []byte("\r\n")) {
		return append(out, "\r\n"...)
	}
	return append(out, '\n')
}

// sameTokens reports whether the two differ in white space only.
func sameTokens(a, b []byte) bool {
	ta, tb := meaningful(a), meaningful(b)
	if len(ta) != len(tb) {
		return false
	}
	for i := range ta {
		// A comment's bytes include the line break, which the last line of a
		// file may lack.
		if ta[i].Type != tb[i].Type || !bytes.Equal(bytes.TrimRight(ta[i].Bytes, "\r\n"), bytes.TrimRight(tb[i].Bytes, "\r\n")) {
			return false
		}
	}
	return true
}

// meaningful returns the tokens without the line breaks at the file's end.
func meaningful(src []byte) hclsyntax.Tokens {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	for len(tokens) > 0 {
		last := tokens[len(tokens)-1]
		if last.Type != hclsyntax.TokenNewline && last.Type != hclsyntax.TokenEOF {
			break
		}
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// maskedSyntax turns what the parser says into what Load would say.
func maskedSyntax(f *hcl.File, diags hcl.Diagnostics, src []byte, filename string) hcl.Diagnostics {
	l := newLoader("", Options{})
	l.mask.add(filename, f, src)
	l.syntaxProblems(diags)
	return l.diagnostics()
}
