package page

import (
	"reflect"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// plainStrings makes every string of a page's data one harmless line. HTML's own
// escaping, which follows, leaves control and invisible characters as they are.
func plainStrings(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // nothing else holds strings
	case reflect.String:
		v.SetString(plaintext.Line(v.String()))
	case reflect.Struct:
		for _, field := range v.Fields() {
			plainStrings(field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			plainStrings(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			plainStrings(v.Elem())
		}
	default:
	}
}
