package httpx_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/httpx"
)

// answered has every type that the clients decode answers into.
type answered struct {
	Text   string            `json:"text"`
	Number int               `json:"number"`
	Flag   bool              `json:"flag"`
	Maybe  *string           `json:"maybe"`
	Time   time.Time         `json:"time"`
	Raw    json.RawMessage   `json:"raw"`
	Fields map[string]string `json:"fields"`
	List   []answered        `json:"list"`
	Nested *answered         `json:"nested"`
	Any    any               `json:"any"`
}

// TestUnmarshal compares Unmarshal with encoding/json, for answers of broken and
// hostile servers.
func TestUnmarshal(t *testing.T) {
	for _, text := range []string{
		`{}`, `null`, `[]`, `""`, `1`, ``, ` `, `{`, `{"text":"a"`, `{"text":"a"}x`, `{"text":"a"} `, "\ufeff{}", `{"text":"a","text":"b"}`, `{"TEXT":"a"}`, `{"Text":"a","text":null}`,
		`{"text":null,"number":null,"flag":null,"maybe":null,"time":null,"raw":null,"fields":null,"list":null,"nested":null,"any":null}`,
		`{"text":1}`, `{"number":"1"}`, `{"number":1.5}`, `{"number":1e2}`, `{"number":99999999999999999999}`, `{"flag":"true"}`, `{"time":"yesterday"}`, `{"time":1}`, `{"fields":{"a":1}}`,
		`{"fields":{"a":null,"b":""}}`, `{"fields":{"a":"x","a":"y"}}`, `{"fields":[]}`, `{"list":{}}`, `{"list":[{"text":"a"},null,{}]}`, `{"nested":[]}`, `{"nested":{"nested":{"text":"deep"}}}`,
		"{\"text\":\"\xff\xc3\"}", `{"text":"\ud800"}`, `{"text":"\u0000\u001b[2J"}`, "{\"text\":\"\x01\"}", `{"text":"\x"}`, `{"text":"line\nbreak\/slash"}`, `{'text':'a'}`, `{"text":"a",}`,
		`{"raw":{"a":[1,2,{"b":"c"}]}}`, `{"raw": [ 1 , 2 ] }`, `{"any":{"a":[1,"2",null,true]}}`, `{"unknown":{"a":[{"b":1}]},"text":"a"}`, `{"number":-0}`, `{"number":01}`, `{"any":1e400}`,
		strings.Repeat("[", 20_000), `{"any":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`, `{"any":` + strings.Repeat("[", 11_000) + strings.Repeat("]", 11_000) + `}`,
	} {
		sameUnmarshalled(t, text)
	}
}

// TestUnmarshalRandom does the same for damaged documents.
func TestUnmarshalRandom(t *testing.T) {
	const whole = `{"text":"a\u00e9\"","number":12,"flag":true,"maybe":"x","time":"2026-11-28T08:00:00Z","raw":{"a":[1]},"fields":{"a":"b","c":""},"list":[{"text":"y"},null],"any":[1.5,{"z":null}]}`
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(whole)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			if rapid.Bool().Draw(t, "delete") {
				text = append(text[:i], text[i+1:]...)
			} else {
				text[i] = rapid.SampledFrom([]byte("{}[]\":,\\0-1ena \xff\x00")).Draw(t, "byte")
			}
		}
		sameUnmarshalled(t, string(text))
	})
}

type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

func sameUnmarshalled(t failer, text string) {
	t.Helper()
	var want, have answered
	wantErr, haveErr := json.Unmarshal([]byte(text), &want), httpx.Unmarshal([]byte(text), &have)
	if wantErr != nil {
		want = answered{}
	}
	if !reflect.DeepEqual(haveErr, wantErr) || !reflect.DeepEqual(have, want) {
		t.Errorf("%.200q: %+v, %v; encoding/json: %+v, %v", text, have, haveErr, want, wantErr)
	}
}
