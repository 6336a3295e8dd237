package notify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/notify"
)

func TestLongMessagesAreCut(t *testing.T) {
	seen := drift.Report{Fleet: "corp"}
	for i := range 100 {
		seen.Connections = append(seen.Connections, drift.Connection{
			Address: fmt.Sprint("x", i), State: "changes", Differences: []drift.Difference{{What: "name", Live: strings.Repeat("ü", 5000), Want: "b"}},
		})
	}
	text := notify.Message(seen, seen.Entries(), true)
	if len([]rune(text)) > 15_000 || !strings.Contains(text, "... and 80 more") || !strings.Contains(text, "can be read again") {
		t.Errorf("%d runes: %.300s", len([]rune(text)), text)
	}
}
