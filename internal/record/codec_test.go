package record

import (
	"encoding/json"
	"errors"
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
	case reflect.Int:
		*next++
		v.SetInt(int64(*next))
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
	want.Deletes = time.Time{} // Vault's own
	want.Consumer.Previous = &Consumer{Key: "k", Private: secret.New("p"), UserSupplied: true}
	same(t, want)
}

func same(t interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}, want Record,
) {
	doc, err := Encode(want, "n")
	if err != nil {
		t.Fatal(err)
	}
	have, err := readBack(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Encode(have, "n")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(doc, again) || !reflect.DeepEqual(reveal(have.Clone()), reveal(have)) {
		t.Fatalf("have %s, want %s", again, doc)
	}
	wantText, haveText := reveal(want), reveal(have)
	if !reflect.DeepEqual(wantText, haveText) {
		t.Fatalf("have %v, want %v", haveText, wantText)
	}
}

// readBack decodes what Vault would return, without the derivation of keys, as the
// keys of these tests are none.
func readBack(fields Fields) (Record, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return Record{}, err
	}
	var stored Fields
	if err := json.Unmarshal(body, &stored); err != nil {
		return Record{}, err
	}
	r, err := Decode(stored)
	if errors.Is(err, ErrContradiction) {
		err = nil
	}
	return r, err
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
		r.MovedFrom = text.Draw(t, "moved from")
		r.HostKeys = rapid.SliceOf(line).Draw(t, "host keys")
		if rapid.Bool().Draw(t, "moving") {
			space := rapid.Custom(func(t *rapid.T) MovingWorkspace {
				return MovingWorkspace{ID: line.Draw(t, "id"), Name: line.Draw(t, "name"), Version: rapid.StringMatching(`(cv-[a-z]{3})?`).Draw(t, "version")}
			})
			r.Moving = &Moving{From: line.Draw(t, "from"), To: line.Draw(t, "to"), Workspaces: rapid.SliceOf(space).Draw(t, "workspaces")}
		}
		if rapid.Bool().Draw(t, "ssh") {
			r.SSH.Current = &SSHKey{Private: secret.New(text.Draw(t, "private")), Set: at("set"), UserSupplied: rapid.Bool().Draw(t, "brought")}
		}
		if rapid.Bool().Draw(t, "lease") {
			r.Lease = &Lease{Holder: text.Draw(t, "holder"), Taken: at("taken"), Expires: at("expires")}
		}
		same(t, r)
	})
}

// What is read from Vault was written by who knows whom.
func FuzzDecode(f *testing.F) {
	f.Add("format", `"1"`, "fleet", `"x"`)
	f.Add("format", `"2"`, "lease_expires", `"never"`)
	f.Add("format", `1`, "host_keys", `["a"]`)
	f.Add("moving_from", `"ot-1"`, "moving_workspaces", `"ws-1\tcv-1\tnetwork\n\t\t"`)
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		fields := Fields{"format": "1"}
		for key, value := range map[string]string{k1: v1, k2: v2} {
			var v any
			if json.Unmarshal([]byte(value), &v) == nil {
				fields[key] = v
			}
		}
		r, err := Decode(fields)
		if err != nil {
			return
		}
		if _, err := Encode(r, "n"); err != nil {
			t.Error(err)
		}
	})
}
