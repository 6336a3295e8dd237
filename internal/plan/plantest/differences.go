// Package plantest is for tests of plans: it compares what was predicted with what was
// read, and knows which steps there are.
package plantest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

// Differences returns where a prediction is not what was read, a line each. A name that
// the planner made up stands for one that is new: it is in nothing that was read before
// the step, and stands for the same everywhere. Times are compared as set or not set.
func Differences(before, predicted, read plan.Have) []string {
	before.Bitbucket, predicted.Bitbucket, read.Bitbucket = nil, nil, nil // what its connections share has no prediction
	want, have := flat(predicted), flat(read)
	want = rename(want, have, names(flat(before)))
	var out []string
	for _, path := range slices.Sorted(maps.Keys(union(want, have))) {
		if want[path] != have[path] && !unpredicted(path, want[path]) {
			out = append(out, fmt.Sprintf("%s: predicted %q, read %q", path, want[path], have[path]))
		}
	}
	return out
}

// unpredicted reports whether a difference is allowed. What a system makes up by itself,
// or a login leaves, decides nothing and is not predicted.
func unpredicted(path, want string) bool {
	for _, end := range []string{
		".Record.Version", ".Record.HostKeys", ".Published", ".Proved", ".LastUsed", ".ConnectURL", ".CallbackURL", ".Created",
		".Record.Retired.Fingerprint",
	} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	if path == ".TokenDead" {
		return true // what was repaired is hoped to have revived the token
	}
	return strings.HasPrefix(path, ".Keys[") && (strings.HasSuffix(path, "].ID") && want == "" || strings.HasSuffix(path, "].Expires"))
}

// made begins a name that the planner made up.
const made = "\x00new "

// rename replaces the names that were made up by those that were read in their place, as
// long as these are new.
func rename(want, have map[string]string, old map[string]bool) map[string]string {
	for {
		path, name := madeUp(want, have, old)
		if path == "" {
			return want
		}
		next := map[string]string{}
		for p, text := range want {
			next[strings.ReplaceAll(p, name, have[path])] = strings.ReplaceAll(text, name, have[path])
		}
		want = next
	}
}

// madeUp returns a made-up name for which a new one was read, and where; "" for none.
func madeUp(want, have map[string]string, old map[string]bool) (path, name string) {
	for _, path := range slices.Sorted(maps.Keys(want)) {
		name, read := want[path], have[path]
		if strings.HasPrefix(name, made) && read != "" && (!old[read] || mayBeOld(path, want)) {
			return path, name
		}
	}
	return "", ""
}

// mayBeOld reports whether a made-up name may stand for one that was there before:
// Bitbucket derives a link's id from its URL, and a pair that is user-supplied may have
// been published.
func mayBeOld(path string, want map[string]string) bool {
	return path == ".Link.ID" || path == ".Record.Consumer.Fingerprint" && want[".Record.Consumer.UserSupplied"] != ""
}

// names are all strings of what was read before.
func names(flat map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, text := range flat {
		out[text] = true
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
	if _, ok := reflect.TypeAssert[time.Time](v); ok {
		out[path] = "a time"
		return
	}
	switch v.Kind() { //nolint:exhaustive // all others are leaves
	case reflect.Pointer:
		out[path] = "there"
		flatten(v.Elem(), path, out)
	case reflect.Struct:
		for i := range v.NumField() {
			flatten(v.Field(i), path+"."+v.Type().Field(i).Name, out)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			at := fmt.Sprintf("%s[%v]", path, key.Interface())
			if kind := v.MapIndex(key).Kind(); kind == reflect.Struct || kind == reflect.Bool {
				out[at] = "there"
			}
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
