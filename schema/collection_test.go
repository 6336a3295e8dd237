package schema

import (
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// TestCollectionsAreAsInCty holds that the short way gives what the general one
// gives, for what it takes and for what it leaves.
func TestCollectionsAreAsInCty(t *testing.T) {
	object := func(name string) cty.Value { return cty.ObjectVal(map[string]cty.Value{"org": cty.StringVal(name)}) }
	values := []cty.Value{
		cty.EmptyTupleVal,
		cty.EmptyObjectVal,
		cty.TupleVal([]cty.Value{cty.StringVal("b"), cty.StringVal("a"), cty.StringVal("b")}),
		cty.TupleVal([]cty.Value{cty.StringVal("b"), cty.NumberIntVal(1)}),
		cty.TupleVal([]cty.Value{object("a"), object("b"), object("a")}),
		cty.TupleVal([]cty.Value{object("a"), cty.EmptyObjectVal}),
		cty.TupleVal([]cty.Value{cty.StringVal("a"), cty.NullVal(cty.String)}),
		cty.TupleVal([]cty.Value{cty.NullVal(cty.DynamicPseudoType), cty.NullVal(cty.DynamicPseudoType)}),
		cty.TupleVal([]cty.Value{cty.UnknownVal(cty.String), cty.StringVal("a")}),
		cty.ObjectVal(map[string]cty.Value{"x": object("a"), "y": object("b")}),
		cty.ObjectVal(map[string]cty.Value{"x": cty.True, "y": cty.StringVal("b")}),
		cty.ListVal([]cty.Value{cty.StringVal("a")}),
		cty.StringVal("a"),
		cty.NullVal(cty.Tuple([]cty.Type{cty.String})),
		cty.UnknownVal(cty.Tuple([]cty.Type{cty.String})),
		cty.DynamicVal,
		cty.TupleVal([]cty.Value{cty.StringVal("a")}).Mark("m"),
		cty.TupleVal([]cty.Value{cty.StringVal("a").Mark("m")}),
	}
	for name, pair := range map[string][2]function.Function{
		"toset":  {toSet(), stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType))},
		"tolist": {toList(), stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType))},
		"tomap":  {toMap(), stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType))},
	} {
		for _, v := range values {
			have, haveErr := pair[0].Call([]cty.Value{v})
			want, wantErr := pair[1].Call([]cty.Value{v})
			if (haveErr == nil) != (wantErr == nil) || haveErr != nil && haveErr.Error() != wantErr.Error() {
				t.Errorf("%s(%#v): %v, want %v", name, v, haveErr, wantErr)
			} else if haveErr == nil && !have.RawEquals(want) {
				t.Errorf("%s(%#v) = %#v, want %#v", name, v, have, want)
			}
		}
	}
}
