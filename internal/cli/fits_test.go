package cli

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bbsync/bbsync/internal/report/documents/schematest"
)

// fits insists that a JSON file follows a schema of bbsync's: fits plan FILE.
// Of apply's stream every line must, and the last must be its end.
func fits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fits SCHEMA FILE")
	}
	text := ts.ReadFile(args[1])
	documents := []string{text}
	if args[0] == "apply" {
		documents = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if last := documents[len(documents)-1]; !strings.HasPrefix(last, `{"type":"summary"`) && !strings.HasPrefix(last, `{"type":"error"`) {
			ts.Fatalf("the stream ends with %s", last)
		}
	}
	for _, document := range documents {
		if err := schematest.Check(args[0], document); (err != nil) != neg {
			ts.Fatalf("%s: %v\n%s", args[1], err, document)
		}
	}
}
