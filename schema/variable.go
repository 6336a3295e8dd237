package schema

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// envPrefix marks the environment's values for variables.
const envPrefix = "BBSYNC_VAR_"

// VarsFromEnv picks the values for variables out of an environment of
// "NAME=value" texts, for Options.Env.
func VarsFromEnv(environ []string) map[string]string {
	out := map[string]string{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, envPrefix) {
			out[strings.TrimPrefix(name, envPrefix)] = value
		}
	}
	return out
}

// A given is a value for a variable, from outside its block.
type given struct {
	value cty.Value
	raw   string // a text still to be read by the variable's type
	text  bool   // raw counts
	from  string // for messages
	at    hcl.Range
}

// variables sets base's var.
func (l *loader) variables() {
	values := map[string]cty.Value{}
	all := l.givens()
	for _, n := range l.top["variable"] {
		name := n.label()
		if name == "" {
			continue
		}
		values[name] = l.variable(n, all[name])
		delete(all, name)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		g := all[name]
		if strings.HasPrefix(g.from, "the environment") {
			continue // shared by several folders, not all of which know the variable
		}
		l.add(problem{
			rule: ruleVariable, at: g.at, summary: "Unknown variable " + name,
			detail: fmt.Sprintf("%s gives a value to %q, which no variable block declares.", g.from, name),
			hint:   nearest(name, slices.Sorted(maps.Keys(values))),
		})
	}
	l.base.Variables["var"] = cty.ObjectVal(values)
	l.recordVariables(values)
}

// givens collects the values: the environment, then *.auto.bbsync.hcl in order
// of their names, then --var-file, then --var; the last one wins.
func (l *loader) givens() map[string]given {
	out := map[string]given{}
	for name, value := range l.opts.Env {
		out[name] = given{raw: value, text: true, from: "the environment's " + envPrefix + name}
	}
	auto, _ := l.fileNames(func(name string) bool { return strings.HasSuffix(name, autoSuffix) })
	for _, name := range auto {
		l.varFile(filepath.Join(l.dir, name), out)
	}
	for _, path := range l.opts.VarFiles {
		l.varFile(path, out)
	}
	for _, v := range l.opts.Vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || !hclsyntax.ValidIdentifier(name) {
			l.add(problem{
				rule: ruleVariable, summary: "Invalid --var", detail: "A value for a variable is given as --var name=value.",
			})
			continue
		}
		out[name] = given{raw: value, text: true, from: "--var " + name}
	}
	return out
}

func (l *loader) varFile(path string, out map[string]given) {
	body := l.parsed(parseFile(path))
	if body == nil {
		return
	}
	l.mask.named(body)
	for _, a := range attributes(body) {
		if secretName.MatchString(a.Name) {
			l.mask.everywhere(a.Expr)
		}
	}
	for _, b := range body.Blocks {
		l.add(problem{
			rule: ruleUnknownName, at: b.TypeRange, summary: "Unknown block " + b.Type,
			detail: "A file with values for variables holds name = value and nothing else.",
			hint:   fmt.Sprintf("a file that ends in %s but not in %s may hold blocks", fileSuffix, autoSuffix),
		})
	}
	for _, a := range attributes(body) {
		// Values are literal: no functions, no references.
		v, ok := l.evaluate(a.Expr, &hcl.EvalContext{}, "")
		if ok {
			out[a.Name] = given{value: v, from: place(a.SrcRange), at: a.SrcRange}
		}
	}
}

// variable returns the variable's value, unknown where there is none to be had.
func (l *loader) variable(n *node, g given) cty.Value {
	want, defaults, ok := l.variableType(n)
	if !ok {
		return cty.DynamicVal
	}
	v := l.view(n, l.base)
	value, ok := l.variableValue(v, g, want)
	if !ok {
		return cty.DynamicVal
	}
	if value.IsNull() && !v.boolean("nullable", true) {
		if value, ok = l.variableValue(v, given{}, want); !ok {
			return cty.DynamicVal
		}
		if value.IsNull() {
			l.badVariable(n, g, "It is null, and the variable is not nullable.")
			return cty.DynamicVal
		}
	}
	if defaults != nil && !value.IsNull() {
		value = defaults.Apply(value)
	}
	value, err := convert.Convert(value, want)
	if err != nil {
		// The error may not be shown: it can quote keys of the value.
		l.badVariable(n, g, fmt.Sprintf("Its value does not fit the type %s.", typeexpr.TypeString(want)))
		return cty.DynamicVal
	}
	if secretName.MatchString(n.label()) {
		l.mask.hide(value)
	}
	if kind := secretIn(value); kind != "" {
		l.badVariable(n, g, fmt.Sprintf("It holds %s, and a variable cannot hold a secret: say where it is kept, as in token { env = \"NAME\" }.", kind))
		return cty.DynamicVal
	}
	l.validations(n, value)
	return value
}

// secretIn says which kind of secret the value certainly holds, "" for none.
func secretIn(v cty.Value) string {
	kind := ""
	_ = cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			kind = certainKind([]byte(v.AsString()))
		}
		return kind == "", nil
	})
	return kind
}

func (l *loader) badVariable(n *node, g given, detail string) {
	at := n.at()
	if g.at.Filename != "" {
		at = g.at
	} else if g.from != "" {
		detail += " The value comes from " + g.from + "."
	}
	l.add(problem{
		rule: ruleVariable, at: at, summary: "Invalid value for variable " + n.label(),
		detail: detail + fmt.Sprintf(" (variable at %s)", place(n.at())),
	})
}

func (l *loader) variableType(n *node) (cty.Type, *typeexpr.Defaults, bool) {
	a := n.args["type"]
	if a == nil {
		return cty.DynamicPseudoType, nil, true
	}
	t, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.attr.Expr)
	for _, d := range diags {
		l.add(problem{
			rule: ruleVariable, at: a.attr.SrcRange, summary: d.Summary, detail: d.Detail,
			hint: "string, number, bool, any, list(...), set(...), map(...), object({...}), tuple([...])",
		})
	}
	return t, defaults, !diags.HasErrors()
}

func (l *loader) variableValue(v view, g given, want cty.Type) (cty.Value, bool) {
	name := v.n.label()
	switch {
	case g.text && (want == cty.String || want == cty.DynamicPseudoType):
		return cty.StringVal(g.raw), true
	case g.text:
		return l.textValue(v.n, g)
	case g.value != cty.NilVal:
		return g.value, true
	}
	if a := v.n.args["default"]; a != nil {
		if vars := a.attr.Expr.Variables(); len(vars) > 0 {
			l.add(problem{
				rule: ruleVariable, at: vars[0].SourceRange(), summary: "A default refers to something",
				detail: fmt.Sprintf("The default of variable %q is a plain value and cannot refer to others.", name),
				hint:   "use locals for what depends on variables",
			})
			return cty.NilVal, false
		}
		return l.evaluate(a.attr.Expr, l.base, "")
	}
	l.add(problem{
		rule: ruleVariable, at: v.n.at(), summary: "No value for variable " + name,
		detail: fmt.Sprintf("Variable %q has no default and was given no value.", name),
		hint:   fmt.Sprintf("--var %s=..., --var-file, %s%s in the environment, or a file that ends in %s", name, envPrefix, name, autoSuffix),
	})
	return cty.NilVal, false
}

// textValue reads a text as the literal that it is for numbers, lists and so
// on.
func (l *loader) textValue(n *node, g given) (cty.Value, bool) {
	e, diags := hclsyntax.ParseExpression([]byte(g.raw), "", hcl.InitialPos)
	if !diags.HasErrors() {
		v, more := e.Value(&hcl.EvalContext{})
		if !more.HasErrors() {
			return v, true
		}
	}
	l.badVariable(n, g, "It is not a literal of the language, as in 5, true, [\"a\"], { a = 1 }.")
	return cty.NilVal, false
}

func (l *loader) validations(n *node, value cty.Value) {
	ctx := l.base.NewChild()
	ctx.Variables = map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{n.label(): value})}
	for _, kid := range n.all("validation") {
		condition, message := kid.args["condition"], kid.args["error_message"]
		if condition == nil || message == nil {
			continue
		}
		holds, ok := l.evaluate(condition.attr.Expr, ctx, "")
		if !ok || !holds.IsWhollyKnown() {
			continue
		}
		holds, err := convert.Convert(holds, cty.Bool)
		if err != nil || holds.IsNull() {
			l.add(problem{rule: ruleType, at: condition.attr.SrcRange, summary: "Wrong type for condition", detail: "condition is true or false."})
			continue
		}
		if holds.True() {
			continue
		}
		text := "It is not valid."
		if m, ok := l.evaluate(message.attr.Expr, ctx, ""); ok && m.IsWhollyKnown() && !m.IsNull() && m.Type() == cty.String {
			text = m.AsString()
		}
		l.add(problem{rule: ruleVariable, at: kid.at(), summary: "Invalid value for variable " + n.label(), detail: text})
	}
}
