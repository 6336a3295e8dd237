package documents_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/report/documents"
	"github.com/bbsync/bbsync/internal/report/documents/schematest"
)

// A schema is a schema, and refuses a document of another kind.
func TestSchemas(t *testing.T) {
	meta := `{"$ref": "https://json-schema.org/draft/2020-12/schema"}`
	for _, name := range documents.SchemaNames() {
		text, err := documents.Schema(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schematest.CheckWith(meta, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if schematest.Check(name, `{"format_version": "1.0", "kind": "else"}`) == nil {
			t.Errorf("%s takes anything", name)
		}
	}
	if _, err := documents.Schema("else"); err == nil {
		t.Error("a schema that is not there")
	}
}

// The apply schema carries the plan's with it, so that one file is enough.
func TestApplyCarriesPlan(t *testing.T) {
	read := func(name string) map[string]any {
		text, err := documents.Schema(name)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	defs, ok := read("apply")["$defs"].(map[string]any)
	if !ok {
		t.Fatal("no $defs")
	}
	if diff := cmp.Diff(any(read("plan")), defs["plan"]); diff != "" {
		t.Errorf("-plan.json +apply.json's copy:\n%s", diff)
	}
}
