package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A node is a block as it was written, its names checked once, however many
// instances it has.
type node struct {
	block *hclsyntax.Block
	shape *shape
	args  map[string]*arg
	kids  []*node
	meant []string // names that unknown ones probably stand for
}

// An arg is an attribute as it was written. Its value is kept until the next
// instance, or for good when it is the same for every instance.
type arg struct {
	name   string
	kind   kind
	attr   *hclsyntax.Attribute
	looked bool             // each is known; most blocks have one instance, and nobody asks
	each   bool             // refers to each
	known  bool             // value holds it
	ctx    *hcl.EvalContext // that value was evaluated in
	value  cty.Value
	failed bool // evaluation failed, and was reported
}

func (n *node) at() hcl.Range { return n.block.DefRange() }

// place returns where an attribute, a block, or an attribute of a block
// ("ssh_key.rotate_after") was written; of several blocks, in the last.
func (n *node) place(name string) (hcl.Range, bool) {
	if a := n.args[name]; a != nil {
		return a.attr.SrcRange, true
	}
	outer, inner, deeper := strings.Cut(name, ".")
	for _, k := range slices.Backward(n.kids) {
		if k.block.Type != outer {
			continue
		}
		if !deeper {
			return k.at(), true
		}
		if at, ok := k.place(inner); ok {
			return at, true
		}
	}
	return hcl.Range{}, false
}

func (n *node) label() string {
	if len(n.block.Labels) == 0 {
		return ""
	}
	return n.block.Labels[0]
}

// title names the block in messages: connection "team".
func (n *node) title() string {
	if l := n.label(); l != "" {
		return fmt.Sprintf("%s %q", n.block.Type, l)
	}
	return n.block.Type
}

func (n *node) all(blockType string) []*node {
	var out []*node
	for _, k := range n.kids {
		if k.block.Type == blockType {
			out = append(out, k)
		}
	}
	return out
}

func (n *node) one(blockType string) *node {
	for _, k := range n.kids {
		if k.block.Type == blockType {
			return k
		}
	}
	return nil
}

// node checks the names in a block against its shape.
func (l *loader) node(b *hclsyntax.Block, s *shape) *node {
	n := &node{block: b, shape: s, args: make(map[string]*arg, len(b.Body.Attributes))}
	l.checkLabels(n, s)
	l.nodeAttributes(n, s)
	for _, kid := range b.Body.Blocks {
		kidShape, ok := s.blocks[kid.Type]
		if !ok {
			n.meant = append(n.meant, l.unknownBlock(kid, s, n.title()))
			continue
		}
		if first := n.one(kid.Type); first != nil && !slices.Contains(s.many, kid.Type) {
			l.duplicate(kid.DefRange(), first.at(), fmt.Sprintf("%s block in %s", kid.Type, n.title()))
			continue
		}
		n.kids = append(n.kids, l.node(kid, kidShape))
	}
	l.checkRequired(n, s)
	return n
}

func (l *loader) nodeAttributes(n *node, s *shape) {
	for _, a := range attributes(n.block.Body) {
		k, ok := s.attrs[a.Name]
		if !ok && !s.anyName {
			n.meant = append(n.meant, l.unknownAttribute(a, s, n.title()))
			continue
		}
		n.args[a.Name] = &arg{name: a.Name, kind: k, attr: a}
	}
}

// attributes returns the attributes of a body in the order they were written.
func attributes(b *hclsyntax.Body) []*hclsyntax.Attribute {
	out := make([]*hclsyntax.Attribute, 0, len(b.Attributes))
	for _, a := range b.Attributes {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return out
}

// varies reports whether the value may differ between the instances of its block.
func (a *arg) varies() bool {
	if !a.looked {
		a.each, a.looked = refersTo(a.attr.Expr, "each"), true
	}
	return a.each
}

func refersTo(e hclsyntax.Expression, root string) bool {
	return slices.ContainsFunc(e.Variables(), func(t hcl.Traversal) bool { return t.RootName() == root })
}

func (l *loader) checkLabels(n *node, s *shape) {
	if have := len(n.block.Labels); have != s.labels {
		l.add(problem{
			rule: ruleLabel, at: n.at(), summary: "Wrong number of labels",
			detail: fmt.Sprintf("A %s block has %s, this one has %d.", n.block.Type, labelCount(s.labels), have),
			hint:   labelHint(n.block.Type, s.labels),
		})
		return
	}
	for i, label := range n.block.Labels {
		if !hclsyntax.ValidIdentifier(label) {
			l.add(problem{
				rule: ruleLabel, at: n.block.LabelRanges[i], summary: "Invalid label",
				detail: fmt.Sprintf("%s is not a name: a label starts with a letter and holds letters, digits, - and _.", shown(label)),
			})
		}
	}
}

func labelCount(n int) string {
	if n == 0 {
		return "no label"
	}
	return "one label"
}

func labelHint(blockType string, labels int) string {
	if labels == 0 {
		return "write " + blockType + " { ... }"
	}
	return fmt.Sprintf(`write %s "name" { ... }`, blockType)
}

func (l *loader) checkRequired(n *node, s *shape) {
	for _, name := range s.required {
		if n.args[name] != nil || n.one(name) != nil || slices.Contains(n.meant, name) {
			continue
		}
		what := "attribute " + name
		if s.blocks[name] != nil {
			what = "block " + name
		}
		l.add(problem{
			rule: ruleMissing, at: n.at(), summary: "Missing " + what,
			detail: fmt.Sprintf("%s needs the %s.", n.title(), what),
		})
	}
}

func (l *loader) duplicate(second, first hcl.Range, what string) {
	l.add(problem{
		rule: ruleDuplicate, at: second, summary: "Declared twice: " + what,
		detail: fmt.Sprintf("The first one is at %s.", place(first)),
	})
}

// unknownAttribute returns the name that was probably meant, "" for none.
func (l *loader) unknownAttribute(a *hclsyntax.Attribute, s *shape, in string) string {
	// What an unknown attribute holds is nobody's business, and may be a secret.
	l.mask.snippets(a.Expr)
	p := problem{
		rule: ruleUnknownName, at: a.NameRange, summary: "Unknown attribute " + a.Name,
		detail: fmt.Sprintf("There is no attribute %q in %s.", a.Name, in),
	}
	meant, hint := nearestName(a.Name, s.names()), s.instead[a.Name]
	isBlock := s.blocks[a.Name] != nil
	switch {
	case secretName.MatchString(a.Name) && hint == "" && (isBlock || meant == ""):
		l.secretValue(a, in)
		return a.Name
	case hint != "":
		p.hint = hint
	case isBlock:
		p.hint = fmt.Sprintf("%s is a block, so it takes no =: write %s { ... } with one attribute per line", a.Name, a.Name)
	default:
		p.hint = didYouMean(meant)
	}
	l.add(p)
	return meant
}

// secretValue reports a secret, or a place of one, written as an attribute.
func (l *loader) secretValue(a *hclsyntax.Attribute, in string) {
	l.add(problem{
		rule: ruleSecret, at: a.NameRange, summary: "No secret belongs here",
		detail: fmt.Sprintf("In %s, %s is written as an attribute. bbsync takes no secret as a value: files are read by many and kept forever. "+
			"If this was a secret, treat it as known to others.", in, a.Name),
		hint: fmt.Sprintf(`say where it is kept, in a block without =: %s { vault = "secret/path#field" } or %s { env = "NAME" }`, a.Name, a.Name),
	})
}

// unknownBlock returns the name that was probably meant, "" for none.
func (l *loader) unknownBlock(b *hclsyntax.Block, s *shape, in string) string {
	for _, a := range attributes(b.Body) {
		l.mask.snippets(a.Expr)
	}
	p := problem{
		rule: ruleUnknownName, at: b.TypeRange, summary: "Unknown block " + b.Type,
		detail: fmt.Sprintf("There is no block %q in %s.", b.Type, in),
	}
	meant := nearestName(b.Type, s.names())
	switch _, isAttr := s.attrs[b.Type]; {
	case s.instead[b.Type] != "":
		p.hint = s.instead[b.Type]
	case isAttr:
		p.hint = fmt.Sprintf("%s is an attribute: write %s = ...", b.Type, b.Type)
	default:
		p.hint = didYouMean(meant)
	}
	l.add(p)
	return meant
}

// names returns all names that may stand in the block, sorted.
func (s *shape) names() []string {
	var out []string
	for name := range s.attrs {
		out = append(out, name)
	}
	for name := range s.blocks {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
