// Package schemas holds the JSON Schemas of what bbsync prints. It describes
// documents; it makes and checks none.
package schemas

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed *.json
var files embed.FS

// Names returns the names of the schemas, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil { // the files are part of the program: a bug, not an event
		panic(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	return out
}

// Text returns the schema with this name.
func Text(name string) (string, error) {
	text, err := files.ReadFile(name + ".json")
	if err != nil {
		return "", fmt.Errorf("no schema is named %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return string(text), nil
}
