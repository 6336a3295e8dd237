package laws_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// differences returns what differs between two values of one type, a line each:
// path, the one and the other.
func differences(a, b any) []string {
	one, other := flat(a), flat(b)
	var out []string
	for _, path := range slices.Sorted(maps.Keys(union(one, other))) {
		if one[path] != other[path] {
			out = append(out, fmt.Sprintf("%s: %q, %q", path, one[path], other[path]))
		}
	}
	return out
}

func union(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// flat returns the leaves of a value by their paths. What is zero has none.
func flat(v any) map[string]string {
	out := map[string]string{}
	flatten(reflect.ValueOf(v), "", out)
	return out
}

func flatten(v reflect.Value, path string, out map[string]string) {
	if !v.IsValid() || v.IsZero() {
		return
	}
	if at, ok := v.Interface().(time.Time); ok {
		out[path] = at.UTC().Format(time.RFC3339)
		return
	}
	if text, ok := v.Interface().(fmt.Stringer); ok && v.Kind() == reflect.Struct {
		out[path] = text.String()
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		out[path] = "there"
		flatten(v.Elem(), path, out)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				flatten(v.Field(i), path+"."+f.Name, out)
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			at := fmt.Sprintf("%s[%v]", path, key.Interface())
			out[at] = "there"
			flatten(v.MapIndex(key), at, out)
		}
	case reflect.Slice:
		for i := range v.Len() {
			flatten(v.Index(i), fmt.Sprintf("%s[%s]", path, nameOf(v.Index(i), i)), out)
		}
	default:
		out[path] = fmt.Sprint(v.Interface())
	}
}

// nameOf names an element of a list by what identifies it, else by its place.
func nameOf(v reflect.Value, place int) string {
	if v.Kind() == reflect.Struct {
		for _, field := range []string{"ID", "Name"} {
			if f := v.FieldByName(field); f.IsValid() {
				return fmt.Sprint(f.Interface())
			}
		}
	}
	return fmt.Sprint(place)
}
