package vault

import (
	"encoding/json"
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
	flatly, err := readFlatly(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(reveal(flatly), reveal(have)) {
		t.Fatalf("read as flat %v, want %v", reveal(flatly), reveal(have))
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

// readFlatly reads the document as Vault answers it, by the short way. Where that
// does not take it, the general way has to.
func readFlatly(doc document) (Record, error) {
	body, err := json.Marshal(map[string]any{"data": map[string]any{"data": doc, "metadata": map[string]any{"version": 7}}})
	if err != nil {
		return Record{}, err
	}
	f, ok := readFlat(body)
	texts := true
	for key := range doc {
		texts = texts && doc.text(key) != ""
	}
	switch {
	case ok != texts:
		return Record{}, fmt.Errorf("read as flat: %v, want %v: %s", ok, texts, body)
	case !ok:
		return decode(doc)
	case f.version != 7:
		return Record{}, fmt.Errorf("version %d, want 7", f.version)
	}
	return decodeFlat(f)
}

// TestWhatIsNotFlat holds what the short way leaves to the general one.
func TestWhatIsNotFlat(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `null`, `{}`, `{"data":null}`, `<html>`, `{"errors":[]}`,
		`{"data":{"data":null,"metadata":{"version":3}}}`,                  // deleted
		`{"data":{"data":{},"metadata":{"version":3}}}`,                    // no record
		`{"data":{"data":{"format":"1"}}}`,                                 // version 1 of the engine
		`{"data":{"data":{"format":"1"},"metadata":{"version":0}}}`,        // no version
		`{"data":{"data":{"format":1},"metadata":{"version":3}}}`,          // a number
		`{"data":{"data":{"format":null},"metadata":{"version":3}}}`,       // a null
		`{"data":{"data":{"format":"","x":"y"},"metadata":{"version":3}}}`, // an empty text
	} {
		if f, ok := readFlat([]byte(body)); ok {
			t.Errorf("%s was read as %v", body, f)
		}
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
		r.MovedFrom = text.Draw(t, "moved from")
		r.HostKeys = rapid.SliceOf(line).Draw(t, "host keys")
		if rapid.Bool().Draw(t, "moving") {
			space := rapid.Custom(func(t *rapid.T) MovingWorkspace {
				return MovingWorkspace{ID: line.Draw(t, "id"), Name: line.Draw(t, "name"), Version: rapid.StringMatching(`(cv-[a-z]{3})?`).Draw(t, "version")}
			})
			r.Moving = &Moving{From: line.Draw(t, "from"), To: line.Draw(t, "to"), Workspaces: rapid.SliceOf(space).Draw(t, "workspaces")}
		}
		if rapid.Bool().Draw(t, "ssh") {
			r.SSH.Current = &SSHKey{Private: secret.New(text.Draw(t, "private")), Set: at("set"), Brought: rapid.Bool().Draw(t, "brought")}
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
		r, err := decode(document{"format": []byte(`"1"`), k1: []byte(v1), k2: []byte(v2)})
		if err != nil {
			return
		}
		if _, err := encode(r, "n"); err != nil {
			t.Error(err)
		}
	})
}
