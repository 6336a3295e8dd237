// Package schematest checks documents against bbsync's JSON Schemas, for tests.
// It is no part of the product.
package schematest

import (
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bbsync/bbsync/internal/report/documents"
)

// Check reports how a JSON text differs from the schema with this name.
func Check(name, text string) error {
	source, err := documents.Schema(name)
	if err != nil {
		return err
	}
	return CheckWith(source, text)
}

// CheckWith reports how a JSON text differs from a schema.
func CheckWith(schema, text string) error {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return fmt.Errorf("the schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("schema.json", doc); err != nil {
		return fmt.Errorf("the schema: %w", err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		return fmt.Errorf("the schema: %w", err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return compiled.Validate(value)
}
