package documents

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed schemas/*.json
var schemaFiles embed.FS

// SchemaNames returns the names of the JSON Schemas, sorted.
func SchemaNames() []string {
	entries, err := schemaFiles.ReadDir("schemas")
	if err != nil { // the files are part of the program: a bug, not an event
		panic(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	return out
}

// Schema returns the JSON Schema with this name.
func Schema(name string) (string, error) {
	text, err := schemaFiles.ReadFile("schemas/" + name + ".json")
	if err != nil {
		return "", fmt.Errorf("no schema is named %q; there are %s", name, strings.Join(SchemaNames(), ", "))
	}
	return string(text), nil
}
