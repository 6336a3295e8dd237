package schema

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxNesting is how deep brackets and operators of one expression may lie in each
// other. HCL's parser calls itself at each of them: some hundred thousand overflow
// the stack, which no program survives.
const maxNesting = 1000

// fewSigns is a number of brackets and operators that the parser survives however
// they lie; what has no more is not looked at again.
const fewSigns = 8 * maxNesting

// parseConfig is hclsyntax.ParseConfig for files nobody has reviewed.
func parseConfig(src []byte, filename string, start hcl.Pos) (*hcl.File, hcl.Diagnostics) {
	if deep := tooDeep(src, filename, start); deep != nil {
		return &hcl.File{Body: &hclsyntax.Body{}, Bytes: src}, hcl.Diagnostics{deep}
	}
	return hclsyntax.ParseConfig(src, filename, start)
}

// tooDeep returns the error of a file whose expressions are nested too deep, nil
// for others.
func tooDeep(src []byte, filename string, start hcl.Pos) *hcl.Diagnostic {
	signs, before := 0, byte(0)
	for _, b := range src {
		if isSign(b) && !(b == '-' && isLetter(before)) {
			signs++
		}
		before = b
	}
	if signs <= fewSigns {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(src, filename, start)
	n := nesting{open: []level{{}}}
	for _, token := range tokens {
		if n.add(token.Type); n.depth <= maxNesting {
			continue
		}
		return &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Nested too deep", Extra: ruleSyntax, Subject: token.Range.Ptr(),
			Detail: fmt.Sprintf("Brackets and operators are nested more than %d deep here.", maxNesting),
		}
	}
	return nil
}

// isLetter recognizes what a hyphen cannot be an operator after: it belongs to the
// identifier, as in a name. Lists of names have thousands of them.
func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' }

func isSign(b byte) bool {
	switch b {
	case '(', '[', '{', '!', '-', '+', '*', '/', '%', '?', '<', '>', '=', '&', '|':
		return true
	}
	return false
}

// nesting counts how deep a token lies: the open brackets, and in each of them the
// operators since the expression began.
type nesting struct {
	open  []level // never empty; the first is the file
	depth int
}

type level struct {
	lines     bool // a line break ends an expression
	operators int
}

func (n *nesting) add(token hclsyntax.TokenType) {
	top := &n.open[len(n.open)-1]
	switch token { //nolint:exhaustive // what opens, closes or joins expressions
	case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		n.open = append(n.open, level{})
		n.depth++
	case hclsyntax.TokenOBrace:
		n.open = append(n.open, level{lines: true})
		n.depth++
	case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd:
		if len(n.open) > 1 {
			n.depth -= top.operators + 1
			n.open = n.open[:len(n.open)-1]
		}
		if token == hclsyntax.TokenCBrack { // a[x][y]: each index holds what is before it
			n.depth++
			n.open[len(n.open)-1].operators++
		}
	case hclsyntax.TokenNewline:
		if top.lines || len(n.open) == 1 {
			n.depth, top.operators = n.depth-top.operators, 0
		}
	case hclsyntax.TokenComma:
		n.depth, top.operators = n.depth-top.operators, 0
	case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent,
		hclsyntax.TokenQuestion, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual,
		hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq:
		n.depth++
		top.operators++
	default:
	}
}
