package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/drive"
)

// TestAskerAtEndOfInput: a question about a page ends the walk when nobody can
// answer any more, and so does every one after it.
func TestAskerAtEndOfInput(t *testing.T) {
	a := &app{stdin: strings.NewReader(""), stderr: &bytes.Buffer{}, getenv: func(string) string { return "" }}
	ask := a.asker()
	for range 2 { // by the second time, the end of the input has been seen
		if got := ask(t.Context(), "a page"); got != drive.Stop {
			t.Errorf("decision %v, want %v", got, drive.Stop)
		}
	}
}
