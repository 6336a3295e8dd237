package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/drift"
	"github.com/bbsync/bbsync/internal/notify"
	"github.com/bbsync/bbsync/internal/plan"
)

func TestLongMessagesAreCut(t *testing.T) {
	seen := drift.Report{Fleet: "corp"}
	for i := range 100 {
		seen.Connections = append(seen.Connections, drift.Connection{
			Address: fmt.Sprint("x", i), State: "changes", Differences: []drift.Difference{{What: "name", Live: strings.Repeat("ü", 5000), Want: "b"}},
		})
	}
	_, changed := drift.Snapshot{}.Next(seen, true)
	text := notify.Message(seen, changed, true)
	if len([]rune(text)) > 15_000 || !strings.Contains(text, "... and 80 more") || !strings.Contains(text, "can be read again") {
		t.Errorf("%d runes: %.300s", len([]rune(text)), text)
	}
}

// TestSince: a message says how long something was as it was before.
func TestSince(t *testing.T) {
	seen := func(hour int, state plan.State) drift.Report {
		return drift.Report{Fleet: "corp", Time: time.Date(2026, 5, 4, hour, 0, 0, 0, time.UTC), Connections: []drift.Connection{{Address: "x", Organization: "acme", State: state}}}
	}
	snapshot, changed := drift.Snapshot{}.Next(seen(1, plan.StateWaiting), true)
	if text := notify.Message(seen(1, plan.StateWaiting), changed, false); strings.Contains(text, "before") {
		t.Errorf("nothing is known of before: %s", text)
	}
	if snapshot, changed = snapshot.Next(seen(2, plan.StateWaiting), true); len(changed) > 0 {
		t.Errorf("changed: %v", changed)
	}
	_, changed = snapshot.Next(seen(3, plan.StateInSync), true)
	if text := notify.Message(seen(3, plan.StateInSync), changed, false); !strings.Contains(text, "= x (acme): in sync (before: waiting for a person, since 2026-05-04 01:00 UTC)") {
		t.Error(text)
	}
}
