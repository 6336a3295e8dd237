package vault

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/secret"
)

// fill gives every field of a record a value of its own, so that a field that
// the stored form forgets is noticed.
func fill(v reflect.Value, next *int) {
	*next++
	switch value := v.Addr().Interface().(type) {
	case *secret.Text:
		*value = secret.New(fmt.Sprint("secret ", *next))
		return
	case *time.Time:
		*value = time.Unix(int64(*next), int64(*next)).UTC()
		return
	}
	switch v.Kind() { //nolint:exhaustive // records have no other kinds
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *next))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), next)
		fill(v.Index(1), next)
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*Consumer]() && *next > 1000 {
			return // the previous consumer has none before it
		}
		if v.Type() == reflect.TypeFor[*Consumer]() {
			*next += 1000
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), next)
			}
		}
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

func TestEveryFieldIsStored(t *testing.T) {
	t.Parallel()
	var want Record
	n := 0
	fill(reflect.ValueOf(&want).Elem(), &n)
	want.Consumer.Previous = &Consumer{Key: "k", Private: secret.New("p"), Brought: true}
	same(t, want)
}

func same(t interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}, want Record,
) {
	doc, err := encode(want, "n")
	if err != nil {
		t.Fatal(err)
	}
	have, err := decode(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err := encode(have, "n")
	if err != nil {
		t.Fatal(err)
	}
	if !doc.equal(again) || !reflect.DeepEqual(reveal(have.clone()), reveal(have)) {
		t.Fatalf("have %s, want %s", again, doc)
	}
	wantText, haveText := reveal(want), reveal(have)
	if !reflect.DeepEqual(wantText, haveText) {
		t.Fatalf("have %v, want %v", haveText, wantText)
	}
}

// reveal flattens a record into comparable texts.
func reveal(v any) map[string]string {
	out := map[string]string{}
	flatten("", reflect.ValueOf(v), out)
	return out
}

func flatten(path string, v reflect.Value, out map[string]string) {
	switch value := v.Interface().(type) {
	case secret.Text:
		if !value.Empty() {
			out[path] = value.Reveal()
		}
		return
	case time.Time:
		if !value.IsZero() {
			out[path] = value.UTC().Format(time.RFC3339Nano)
		}
		return
	}
	switch v.Kind() { //nolint:exhaustive // the others are texts
	case reflect.Pointer:
		if !v.IsNil() {
			flatten(path, v.Elem(), out)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				flatten(path+"."+v.Type().Field(i).Name, v.Field(i), out)
			}
		}
	default:
		if text := fmt.Sprintf("%q", v.Interface()); !v.IsZero() && text != "[]" {
			out[path] = text
		}
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		line := rapid.StringMatching(`[a-z0-9 +/=]{1,20}`)
		at := func(label string) time.Time {
			if rapid.Bool().Draw(t, label+"?") {
				return time.Time{}
			}
			return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, label), rapid.Int64Range(0, 999999999).Draw(t, label)).UTC()
		}
		var r Record
		r.Fleet, r.Address = text.Draw(t, "fleet"), text.Draw(t, "address")
		r.HostKeys = rapid.SliceOf(line).Draw(t, "host keys")
		if rapid.Bool().Draw(t, "ssh") {
			r.SSH.Current = &SSHKey{Private: secret.New(text.Draw(t, "private")), Set: at("set"), Brought: rapid.Bool().Draw(t, "brought")}
		}
		if rapid.Bool().Draw(t, "lease") {
			r.Lease = &Lease{Holder: text.Draw(t, "holder"), Expires: at("expires")}
		}
		same(t, r)
	})
}

// What is read from Vault was written by who knows whom.
func FuzzDecode(f *testing.F) {
	f.Add("format", `"1"`, "fleet", `"x"`)
	f.Add("format", `"2"`, "lease_expires", `"never"`)
	f.Add("format", `1`, "host_keys", `["a"]`)
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		r, err := decode(document{"format": []byte(`"1"`), k1: []byte(v1), k2: []byte(v2)})
		if err != nil {
			return
		}
		if _, err := encode(r, "n"); err != nil {
			t.Error(err)
		}
	})
}
