package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// evaluate returns the expression's value; mistakes are reported, in the name
// of the instance where there is one. No value is ever marked: marks are for
// secrets, and those are never values.
func (l *loader) evaluate(e hclsyntax.Expression, ctx *hcl.EvalContext, in string) (cty.Value, bool) {
	v, diags := e.Value(ctx)
	l.hclProblems(diags, in)
	if diags.HasErrors() || v == cty.NilVal {
		return cty.DynamicVal, false
	}
	return v, true
}

// hclProblems takes over what hcl reports on an expression, in our words where
// hcl cannot know which names there are.
func (l *loader) hclProblems(diags hcl.Diagnostics, in string) {
	for _, d := range diags {
		p := problem{
			rule: ruleExpression, warning: d.Severity == hcl.DiagWarning,
			summary: d.Summary, detail: d.Detail, in: in,
		}
		if d.Subject != nil {
			p.at = *d.Subject
		}
		if e, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr); ok {
			l.explain(&p, e.Traversal, d.EvalContext)
		}
		if e, ok := d.Expression.(*hclsyntax.IndexExpr); ok {
			l.explainIndex(&p, e)
		}
		if e, ok := d.Expression.(*hclsyntax.FunctionCallExpr); ok && d.Summary == "Call to unknown function" {
			p.detail = fmt.Sprintf("There is no function named %q.", e.Name)
			p.hint = nearest(e.Name, slices.Sorted(maps.Keys(l.base.Functions)))
		}
		l.add(p)
	}
}

// explain says what is wrong with a reference, going along it until it breaks.
func (l *loader) explain(p *problem, t hcl.Traversal, ctx *hcl.EvalContext) {
	root := t.RootName()
	value, found := lookup(root, ctx)
	if !found {
		l.explainRoot(p, root, ctx)
		return
	}
	for i, step := range t[1:] {
		name, ok := stepName(step)
		if !ok {
			return
		}
		next, diags := hcl.GetAttr(value, name, nil)
		if diags.HasErrors() {
			l.explainName(p, root, name, i, value)
			return
		}
		value = next
	}
}

// stepName returns the name in .name or ["name"].
func stepName(step hcl.Traverser) (string, bool) {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

func (l *loader) explainRoot(p *problem, root string, ctx *hcl.EvalContext) {
	p.rule, p.summary = ruleReference, "Unknown name "+root
	p.detail = fmt.Sprintf("Nothing is called %q here.", root)
	switch root {
	case "each":
		p.detail = "each.key and each.value are known in a connection with for_each only."
	case "terraform", "bitbucket":
		p.detail = fmt.Sprintf("%s can be referred to in connection blocks only.", root)
	default:
		p.hint = nearest(root, rootNames(ctx))
	}
}

func rootNames(ctx *hcl.EvalContext) []string {
	var out []string
	for ; ctx != nil; ctx = ctx.Parent() {
		out = slices.AppendSeq(out, maps.Keys(ctx.Variables))
	}
	slices.Sort(out)
	return out
}

func lookup(root string, ctx *hcl.EvalContext) (cty.Value, bool) {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[root]; ok {
			return v, true
		}
	}
	return cty.NilVal, false
}

// explainName explains a name that the value has not; depth 0 is right after
// the root.
func (l *loader) explainName(p *problem, root, name string, depth int, value cty.Value) {
	names := attributeNames(value)
	if depth > 0 {
		p.hint = nearest(name, names)
		if p.hint == "" && len(names) > 0 && len(names) <= 20 {
			p.hint = "known here: " + strings.Join(names, ", ")
		}
		return
	}
	p.rule = ruleReference
	switch root {
	case "var":
		p.rule, p.summary = ruleVariable, "Unknown variable "+name
		p.detail = fmt.Sprintf("No variable %q is declared.", name)
	case "local":
		names = slices.Sorted(maps.Keys(l.locals))
		p.summary, p.detail = "Unknown local "+name, fmt.Sprintf("No locals block has a %q.", name)
	case "each":
		p.summary, p.detail = "Unknown name each."+name, "There is each.key and each.value."
	case "terraform", "bitbucket":
		p.summary = fmt.Sprintf("Unknown %s %s", root, shown(name))
		p.detail = fmt.Sprintf("No block %s %q is in the files.", root, name)
	default:
		return
	}
	p.hint = nearest(name, names)
	if p.hint == "" && len(names) > 0 {
		p.hint = "known here: " + strings.Join(names, ", ")
	}
	if p.hint != "" && strings.HasPrefix(p.hint, "did you mean ") {
		p.hint = fmt.Sprintf("did you mean %s.%s?", root, nearestName(name, names))
	}
}

func attributeNames(v cty.Value) []string {
	t := v.Type()
	switch {
	case t.IsObjectType():
		return slices.Sorted(maps.Keys(t.AttributeTypes()))
	case t.IsMapType() && v.IsKnown() && !v.IsNull():
		return slices.Sorted(maps.Keys(v.AsValueMap()))
	default:
		return nil
	}
}

// explainIndex explains bitbucket[each.value.site] with a key that no block
// has.
func (l *loader) explainIndex(p *problem, e *hclsyntax.IndexExpr) {
	root := hcl.ExprAsKeyword(e.Collection)
	if root != "terraform" && root != "bitbucket" {
		return
	}
	p.rule = ruleReference
	p.summary = "Unknown " + root
	p.detail = fmt.Sprintf("The key in the brackets is the label of no %s block.", root)
	p.hint = "known here: " + strings.Join(l.systemNames(root), ", ")
}
