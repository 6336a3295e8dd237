package schema

import (
	"fmt"
	"regexp"
	"strconv"

	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Bounds of what a function may make of a short text, so that a proposed change
// cannot end the process that plans it. A fleet of 10,000 connections with 20
// columns has 200,000 values.
const (
	maxValues = 2_000_000
	maxDepth  = 500
	maxWidth  = 1000 // of one verb of format
)

// boundedDecode returns the decoding function with bounds on the nesting of its
// text and, where the format has aliases, on what they expand to. typeOf returns
// the type of the decoded value, in which aliases are still shared; nil: the
// format has no aliases.
func boundedDecode(f function.Function, typeOf func(string) (cty.Type, error)) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			text := args[0].AsString()
			if deeper(text, maxDepth) {
				return cty.NilType, function.NewArgErrorf(0, "it is nested more than %d levels deep", maxDepth)
			}
			if typeOf != nil {
				budget := maxValues
				if t, err := typeOf(text); err == nil && !affords(t, &budget) {
					return cty.NilType, function.NewArgErrorf(0, "its aliases expand to more than %d values", maxValues)
				}
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

func yamlType(text string) (cty.Type, error) { return ctyyaml.ImpliedType([]byte(text)) }

// deeper reports whether a text of JSON or YAML may be nested deeper than the
// bound: by open brackets, or by the indicators of YAML that nest within a line.
// Brackets within strings count, too, which no table has hundreds of.
func deeper(text string, most int) bool {
	open, inLine := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '\n':
			inLine = 0
		case '-', '?', ':':
			if i+1 < len(text) && text[i+1] == ' ' {
				inLine++
			}
		}
		if open > most || inLine > most {
			return true
		}
	}
	return false
}

// affords takes one from the budget for each value of the type and reports
// whether that was enough.
func affords(t cty.Type, budget *int) bool {
	if *budget--; *budget < 0 {
		return false
	}
	switch {
	case t.IsTupleType():
		for _, element := range t.TupleElementTypes() {
			if !affords(element, budget) {
				return false
			}
		}
	case t.IsObjectType():
		for _, attribute := range t.AttributeTypes() {
			if !affords(attribute, budget) {
				return false
			}
		}
	}
	return true
}

// boundedProduct is setproduct with a bound on the number of its elements.
func boundedProduct() function.Function {
	f := stdlib.SetProductFunc
	return function.New(&function.Spec{
		VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			elements := 1
			for _, arg := range args {
				if known, _ := arg.Unmark(); known.IsKnown() && !known.IsNull() && known.CanIterateElements() {
					elements *= max(1, known.LengthInt())
				}
				if elements > maxValues {
					return cty.NilType, fmt.Errorf("the product has more than %d elements", maxValues)
				}
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// formatNumber matches the widths, precisions and argument numbers in the verbs
// of a format string.
var formatNumber = regexp.MustCompile(`%[^%a-zA-Z]*?[0-9]+[^%a-zA-Z]*[a-zA-Z]`)

var digits = regexp.MustCompile(`[0-9]+`)

// boundedFormat is format or formatlist with a bound on the widths of verbs.
func boundedFormat(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params:   f.Params(),
		VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if spec, _ := args[0].Unmark(); spec.IsKnown() && !spec.IsNull() && tooWide(spec.AsString()) {
				return cty.NilType, function.NewArgErrorf(0, "a verb is wider than %d characters", maxWidth)
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

func tooWide(spec string) bool {
	for _, verb := range formatNumber.FindAllString(spec, -1) {
		for _, number := range digits.FindAllString(verb, -1) {
			if n, err := strconv.Atoi(number); err != nil || n > maxWidth {
				return true
			}
		}
	}
	return false
}
