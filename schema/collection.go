package schema

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// The functions toset, tolist and tomap do what cty's do, which find the type of
// the result by comparing each element's type with all others': minutes for a
// list of a hundred thousand. Where all elements are of one type, as they are in
// a list of organizations, that is the type, and nothing is to be converted.

func toSet() function.Function {
	return collection(cty.Set, uniformTuple, func(v cty.Value) cty.Value { return cty.SetVal(v.AsValueSlice()) })
}

func toList() function.Function {
	return collection(cty.List, uniformTuple, func(v cty.Value) cty.Value { return cty.ListVal(v.AsValueSlice()) })
}

func toMap() function.Function {
	return collection(cty.Map, uniformObject, func(v cty.Value) cty.Value { return cty.MapVal(v.AsValueMap()) })
}

func collection(of func(cty.Type) cty.Type, uniform func(cty.Type) (cty.Type, bool), build func(cty.Value) cty.Value) function.Function {
	general := stdlib.MakeToFunc(of(cty.DynamicPseudoType))
	direct := func(v cty.Value) (cty.Type, bool) {
		if v.IsMarked() || !v.IsKnown() || v.IsNull() {
			return cty.NilType, false
		}
		return uniform(v.Type())
	}
	return function.New(&function.Spec{
		Params: general.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if t, ok := direct(args[0]); ok {
				return of(t), nil
			}
			return general.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if _, ok := direct(args[0]); ok {
				return build(args[0]), nil
			}
			return general.Call(args)
		},
	})
}

// uniformTuple returns the one type of a tuple's elements.
func uniformTuple(t cty.Type) (cty.Type, bool) {
	if !t.IsTupleType() || t.Length() == 0 {
		return cty.NilType, false
	}
	types := t.TupleElementTypes()
	for _, other := range types[1:] {
		if !other.Equals(types[0]) {
			return cty.NilType, false
		}
	}
	return types[0], !types[0].HasDynamicTypes()
}

// uniformObject returns the one type of an object's attributes.
func uniformObject(t cty.Type) (cty.Type, bool) {
	if !t.IsObjectType() {
		return cty.NilType, false
	}
	first := cty.NilType
	for _, other := range t.AttributeTypes() {
		if first == cty.NilType {
			first = other
		}
		if !other.Equals(first) {
			return cty.NilType, false
		}
	}
	return first, first != cty.NilType && !first.HasDynamicTypes()
}
