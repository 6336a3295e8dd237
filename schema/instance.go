package schema

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/bbsync/bbsync/internal/names"
)

// An instance is one of what a connection block expands to.
type instance struct {
	address string
	key     string
	keyed   bool // the block has for_each
	ctx     *hcl.EvalContext
}

// instances expands for_each. Keys are those of a map or object, the elements
// of a set, and for a list or tuple the organizations: a list has no names of
// its own, and by index a new row would rename all behind it.
func (l *loader) instances(n *node) []instance {
	a := n.args["for_each"]
	if a == nil {
		return []instance{{address: "connection." + n.label(), ctx: l.base}}
	}
	v := l.view(n, l.base)
	if a.varies() {
		v.fail("for_each", ruleForEach, "for_each refers to each", "for_each makes each, and cannot refer to it.", "")
		return nil
	}
	all, ok := v.value("for_each")
	if !ok {
		if !v.broken["for_each"] {
			v.fail("for_each", ruleForEach, "for_each is null", "for_each takes a map, a set or a list.", "for no instances give an empty one")
		}
		return nil
	}
	v.warnEmpty(all)
	switch t := all.Type(); {
	case t.IsMapType() || t.IsObjectType():
		return l.byKey(v, all)
	case t.IsSetType():
		return l.bySet(v, all)
	case t.IsListType() || t.IsTupleType():
		return l.byOrganization(v, all)
	default:
		v.fail("for_each", ruleForEach, "Wrong type for for_each",
			fmt.Sprintf("for_each takes a map, a set or a list, this is %s.", typeName(t)), "as in csvdecode(file(\"orgs.csv\"))")
		return nil
	}
}

// warnEmpty warns of a for_each without elements, unless it is written so: a table
// whose rows got lost would otherwise look like a fleet in which all is well.
func (v view) warnEmpty(all cty.Value) {
	if !all.CanIterateElements() || all.LengthInt() > 0 {
		return
	}
	if isLiteral(v.n.args["for_each"].attr.Expr) {
		return
	}
	v.l.add(problem{
		rule: ruleForEachEmpty, warning: true, at: v.where("for_each"), summary: "for_each has no elements",
		detail: "connection." + v.n.label() + " describes no connection.",
		hint:   "a table with a header and no rows, or a filter that nothing passes, looks like this",
	})
}

// isLiteral reports whether the elements stand in the expression: [], {}, toset([]).
func isLiteral(expr hcl.Expression) bool {
	if call, diags := hcl.ExprCall(expr); !diags.HasErrors() && call.Name == "toset" && len(call.Arguments) == 1 {
		expr = call.Arguments[0]
	}
	_, noList := hcl.ExprList(expr)
	_, noMap := hcl.ExprMap(expr)
	return !noList.HasErrors() || !noMap.HasErrors()
}

func (l *loader) byKey(v view, all cty.Value) []instance {
	out := make([]instance, 0, all.LengthInt())
	for it := all.ElementIterator(); it.Next(); {
		k, value := it.Element()
		if in, ok := l.instance(v, k.AsString(), value); ok {
			out = append(out, in)
		}
	}
	return out
}

func (l *loader) bySet(v view, all cty.Value) []instance {
	out := make([]instance, 0, all.LengthInt())
	for it := all.ElementIterator(); it.Next(); {
		_, value := it.Element()
		if value.Type() != cty.String || value.IsNull() {
			v.fail("for_each", ruleForEach, "A set of other things than texts",
				"The elements of a set are the keys of the instances, and keys are texts.", "give a map, or a list of objects")
			return nil
		}
		if in, ok := l.instance(v, value.AsString(), value); ok {
			out = append(out, in)
		}
	}
	return out
}

// byOrganization evaluates organization ahead of the rest to learn the keys.
func (l *loader) byOrganization(v view, all cty.Value) []instance {
	org := v.n.args["organization"]
	if org == nil {
		return nil // reported with the shape
	}
	out := make([]instance, 0, all.LengthInt())
	rows := map[string]int{}
	row := 0
	for it := all.ElementIterator(); it.Next(); row++ {
		_, value := it.Element()
		w := v
		w.in = fmt.Sprintf("connection.%s[%d]", v.n.label(), row)
		w.ctx = l.base.NewChild()
		w.ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"value": value})}
		w.broken = map[string]bool{}
		key := w.organizationKey(org)
		if key == "" {
			continue
		}
		if first, twice := rows[names.OrganizationKey(key)]; twice {
			l.organizationTwice(w, key, first, row)
			continue
		}
		rows[names.OrganizationKey(key)] = row
		if in, ok := l.instance(v, key, value); ok {
			out = append(out, in)
		}
	}
	return out
}

// organizationKey returns "" where there is none to be had, which is reported.
func (v view) organizationKey(org *arg) string {
	for _, t := range org.attr.Expr.Variables() {
		if len(t) < 2 || t.RootName() != "each" {
			continue
		}
		if step, ok := t[1].(hcl.TraverseAttr); ok && step.Name == "key" {
			v.fail("organization", ruleForEach, "each.key is the organization",
				"The instances of a list are keyed by organization, which therefore cannot refer to each.key.", "take it from each.value, or give for_each a map")
			return ""
		}
	}
	return v.need("organization")
}

func (l *loader) organizationTwice(v view, key string, first, second int) {
	v.fail("for_each", ruleForEach, "A list with one organization twice",
		fmt.Sprintf("The instances of a list are keyed by organization, and elements %d and %d (counted from 0) are both of %s.", first, second, shown(key)),
		`where that is meant, give a map with keys of your own: { for row in csvdecode(file("orgs.csv")) : "${row.org}/${row.site}" => row }`)
}

func (l *loader) instance(v view, key string, value cty.Value) (instance, bool) {
	if key == "" || strings.ContainsFunc(key, unicode.IsControl) {
		v.fail("for_each", ruleForEach, "An unusable key", fmt.Sprintf("The key %s is empty or holds control characters.", shown(key)), "")
		return instance{}, false
	}
	ctx := l.base.NewChild()
	ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(key), "value": value})}
	return instance{address: Address(v.n.label(), key), key: key, keyed: true, ctx: ctx}, true
}

// Address returns the address of an instance: connection.team["acme"].
func Address(block, key string) string {
	quoted := strconv.Quote(key)
	if strings.ContainsAny(key, "$%") {
		quoted = strings.NewReplacer("${", "$${", "%{", "%%{").Replace(quoted)
	}
	return "connection." + block + "[" + quoted + "]"
}
