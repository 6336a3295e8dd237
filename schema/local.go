package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// A local is one attribute of a locals block.
type local struct {
	arg   *arg
	state int // 0 untouched, 1 being evaluated, 2 done
	value cty.Value
}

// evaluateLocals sets base's local. Locals stand in any order and may use each
// other, in circles excepted.
func (l *loader) evaluateLocals() {
	for _, n := range l.top["locals"] {
		for name, a := range n.args {
			if first, twice := l.locals[name]; twice {
				l.duplicate(a.attr.SrcRange, first.arg.attr.SrcRange, "local "+name)
				continue
			}
			l.locals[name] = &local{arg: a}
			if secretName.MatchString(name) {
				l.mask.everywhere(a.attr.Expr)
			}
		}
	}
	values := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(l.locals)) {
		values[name] = l.local(name, nil)
	}
	l.base.Variables["local"] = cty.ObjectVal(values)
}

// local evaluates the local with those it needs first; path is how it was come
// by.
func (l *loader) local(name string, path []string) cty.Value {
	x := l.locals[name]
	path = append(path, name)
	switch x.state {
	case 2:
		return x.value
	case 1:
		l.localCircle(x, path)
		return cty.DynamicVal
	}
	x.state = 1
	needs := map[string]cty.Value{}
	for _, t := range x.arg.attr.Expr.Variables() {
		if t.RootName() != "local" {
			continue
		}
		need, ok := localName(t)
		if !ok {
			l.add(problem{
				rule: ruleLocals, at: t.SourceRange(), summary: "Which local?",
				detail: "Locals refer to each other by name.", hint: "write local.name",
			})
			x.state, x.value = 2, cty.DynamicVal
			return x.value
		}
		if l.locals[need] != nil {
			needs[need] = l.local(need, path)
		}
	}
	ctx := l.base.NewChild()
	ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(needs)}
	x.value, _ = l.evaluate(x.arg.attr.Expr, ctx, "")
	x.state = 2
	return x.value
}

func (l *loader) localCircle(x *local, path []string) {
	last := path[len(path)-1]
	circle := path[slices.Index(path, last):]
	l.add(problem{
		rule: ruleLocals, at: x.arg.attr.SrcRange, summary: "Locals go in a circle",
		detail: "Each of these needs the next: " + strings.Join(circle, " → ") + ".",
	})
}

// localName returns which local a traversal leads to: local.x or local["x"].
func localName(t hcl.Traversal) (string, bool) {
	if len(t) < 2 {
		return "", false
	}
	return stepName(t[1])
}
