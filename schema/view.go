package schema

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// A view is a node as one instance sees it. Its readers return the zero value
// for what was left out, is null, or could not be had; the latter is reported,
// and remembered in broken so that no rule builds on it.
type view struct {
	l      *loader
	n      *node
	ctx    *hcl.EvalContext
	in     string          // address of the instance, for messages; "" without for_each
	prefix string          // "application_link." in the block of this name
	broken map[string]bool // names, with prefix, of what could not be read; shared by an instance's views
}

func (l *loader) view(n *node, ctx *hcl.EvalContext) view {
	return view{l: l, n: n, ctx: ctx, broken: map[string]bool{}}
}

func (v view) of(kid *node) view {
	v.prefix += kid.block.Type + "."
	v.n = kid
	return v
}

// where returns the place of the attribute, or of the block when it was left
// out.
func (v view) where(name string) hcl.Range {
	a := v.n.args[name]
	switch {
	case a == nil:
		return v.n.at()
	case a.attr.SrcRange.End.Line > a.attr.SrcRange.Start.Line:
		return a.attr.NameRange // the first line says enough
	default:
		return a.attr.SrcRange
	}
}

// fail reports a mistake in the attribute's value.
func (v view) fail(name string, rule Rule, summary, detail, hint string) {
	v.broken[v.prefix+name] = true
	v.l.add(problem{rule: rule, at: v.where(name), summary: summary, detail: detail, hint: hint, in: v.instanceOf(name)})
}

// instanceOf returns the instance to name in a message, "" where the attribute
// is the same in all.
func (v view) instanceOf(name string) string {
	if v.in == "" {
		return ""
	}
	if a := v.n.args[name]; a != nil && !a.varies() {
		return ""
	}
	return v.in
}

// warn reports what is allowed and probably not meant.
func (v view) warn(name string, rule Rule, summary, detail, hint string) {
	v.l.add(problem{rule: rule, warning: true, at: v.where(name), summary: summary, detail: detail, hint: hint, in: v.instanceOf(name)})
}

// value evaluates the attribute; ok is false where there is none to be had.
func (v view) value(name string) (cty.Value, bool) {
	a := v.n.args[name]
	if a == nil {
		return cty.NilVal, false
	}
	if !a.known || a.ctx != v.ctx && a.varies() {
		a.value, a.failed = v.evaluate(a)
		a.known, a.ctx = true, v.ctx
	}
	if a.failed {
		v.broken[v.prefix+name] = true
		return cty.NilVal, false
	}
	return a.value, !a.value.IsNull()
}

// evaluate returns the value in the attribute's type, and whether it failed.
// An unknown value comes from an expression that failed elsewhere and is not
// reported again.
func (v view) evaluate(a *arg) (cty.Value, bool) {
	have, ok := v.l.evaluate(a.attr.Expr, v.ctx, v.instanceOf(a.name))
	if !ok || !have.IsWhollyKnown() {
		return cty.NilVal, true
	}
	want := a.kind.ctyType()
	if want == cty.DynamicPseudoType || have.IsNull() {
		return have, false
	}
	if a.kind != texts && !have.Type().IsPrimitiveType() {
		v.wrongType(a, have)
		return cty.NilVal, true
	}
	out, err := convert.Convert(have, want)
	if err != nil {
		v.wrongType(a, have)
		return cty.NilVal, true
	}
	return out, false
}

func (k kind) ctyType() cty.Type {
	switch k {
	case text:
		return cty.String
	case number:
		return cty.Number
	case boolean:
		return cty.Bool
	case texts:
		return cty.List(cty.String)
	case anything:
		return cty.DynamicPseudoType
	}
	panic(fmt.Sprintf("unknown kind %d", k))
}

func (k kind) String() string {
	switch k {
	case text:
		return "a text"
	case number:
		return "a number"
	case boolean:
		return "true or false"
	case texts:
		return "a list of texts"
	case anything:
		return "any value"
	}
	panic(fmt.Sprintf("unknown kind %d", k))
}

// wrongType never shows the value: it may be a whole object with anything in it.
func (v view) wrongType(a *arg, have cty.Value) {
	hint := ""
	if a.kind == texts && have.Type().IsPrimitiveType() {
		hint = fmt.Sprintf("write %s = [...], or split a text: split(\" \", ...)", a.name)
	}
	v.l.add(problem{
		rule: ruleType, at: a.attr.SrcRange, summary: "Wrong type for " + a.name, in: v.instanceOf(a.name), hint: hint,
		detail: fmt.Sprintf("%s takes %s, this is %s.", a.name, a.kind, typeName(have.Type())),
	})
}

func typeName(t cty.Type) string {
	name := t.FriendlyName()
	switch {
	case t == cty.String:
		return "a text"
	case strings.HasPrefix(name, "object"):
		return "an " + name
	default:
		return "a " + name
	}
}

func (v view) text(name string) string {
	val, ok := v.value(name)
	if !ok {
		return ""
	}
	return val.AsString()
}

// need is text for a required attribute: null and "" are reported.
func (v view) need(name string) string {
	s := v.text(name)
	if s != "" || v.broken[v.prefix+name] {
		return s
	}
	if v.n.args[name] == nil {
		v.broken[v.prefix+name] = true // reported with the shape
		return ""
	}
	v.fail(name, ruleMissing, "Empty "+name, fmt.Sprintf("%s needs %s, and here it is empty.", v.n.title(), name), "")
	return ""
}

func (v view) boolean(name string, otherwise bool) bool {
	val, ok := v.value(name)
	if !ok {
		return otherwise
	}
	return val.True()
}

// integer returns a whole number within the bounds.
func (v view) integer(name string, least, most, otherwise int) int {
	val, ok := v.value(name)
	if !ok {
		return otherwise
	}
	n, accuracy := val.AsBigFloat().Int64()
	if accuracy != big.Exact || n < int64(least) || n > int64(most) {
		v.fail(name, ruleRange, "Out of range: "+name,
			fmt.Sprintf("%s is a whole number from %d to %d, this is %s.", name, least, most, val.AsBigFloat().Text('g', 10)), "")
		return otherwise
	}
	return int(n)
}

// rate returns a number of requests per second, 0 for no limit.
func (v view) rate(name string) float64 {
	val, ok := v.value(name)
	if !ok {
		return 0
	}
	f, _ := val.AsBigFloat().Float64()
	if f <= 0 || f > 1e6 {
		v.fail(name, ruleRange, "Out of range: "+name,
			fmt.Sprintf("%s is in requests per second and more than 0.", name), "leave it out for no limit of bbsync's own")
		return 0
	}
	return f
}

func (v view) texts(name string) []string {
	val, ok := v.value(name)
	if !ok {
		return nil
	}
	out := make([]string, 0, val.LengthInt())
	for it := val.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() {
			v.fail(name, ruleType, "Null in "+name, name+" takes a list of texts, and one of them is null.", "")
			return nil
		}
		out = append(out, e.AsString())
	}
	return out
}

// duration returns otherwise for what was left out.
func (v view) duration(name string, otherwise time.Duration) time.Duration {
	s := v.text(name)
	if s == "" {
		return otherwise
	}
	d, err := ParseDuration(s)
	if err != nil {
		v.fail(name, ruleDuration, "Not a duration", fmt.Sprintf("%s: %s.", name, err), durationHint)
		return otherwise
	}
	return d
}

// url returns the canonical form.
func (v view) url(name string) string {
	s := v.text(name)
	if s == "" {
		return ""
	}
	canonical, err := CanonicalURL(s)
	if err != nil {
		if hasUserInfo(s) {
			v.l.mask.everywhere(v.n.args[name].attr.Expr)
		}
		v.fail(name, ruleURL, "Not a usable URL", fmt.Sprintf("%s: %s.", name, err), urlHint(s))
		return ""
	}
	return canonical
}
