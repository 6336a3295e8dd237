package notify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/notify"
	"github.com/bbsync/bbsync/internal/report"
)

func saw(connections ...report.DriftConnection) report.Drift {
	return report.Drift{Fleet: "corp", Connections: connections}
}

func one(address, state string, live ...string) report.DriftConnection {
	c := report.DriftConnection{Address: address, State: state}
	for _, l := range live {
		c.Differences = append(c.Differences, report.Difference{Kind: "client", What: "name", Live: l, Want: "b"})
	}
	return c
}

func unread(address, why string) report.DriftConnection {
	return report.DriftConnection{Address: address, State: "unreadable", Blocks: []report.DriftBlock{{Kind: "unreadable", Text: why}}}
}

// Each look is after the one before; told is what is news then.
func TestOnlyChangesAreNews(t *testing.T) {
	moved := one("x", "changes", "a")
	moved.Differences[0].At.Line = 7
	var state notify.State
	for i, look := range []struct {
		drift report.Drift
		told  []string
	}{
		{saw(one("x", "in_sync"), one("y", "in_sync")), nil},
		{saw(one("x", "changes", "a"), one("y", "in_sync")), []string{"x"}},
		{saw(one("x", "changes", "a"), one("y", "in_sync")), nil},
		{saw(moved, one("y", "in_sync")), nil},
		{saw(one("x", "changes", "other"), one("y", "waiting", "c")), []string{"x", "y"}},
		{saw(one("x", "leased"), one("y", "leased")), nil},
		{saw(one("x", "changes", "other"), one("y", "in_sync")), []string{"y"}},
		{saw(unread("x", "no answer after 3 s"), one("y", "in_sync")), []string{"x"}},
		{saw(unread("x", "no answer after 4 s"), one("y", "in_sync")), nil},
		{saw(one("x", "in_sync"), one("y", "in_sync")), []string{"x"}},
		{saw(one("y", "in_sync")), nil},
		{saw(one("x", "leased"), one("y", "in_sync")), nil},
		{report.Drift{Fleet: "another", Connections: []report.DriftConnection{one("y", "changes", "a")}}, []string{"y"}},
	} {
		next, changed := state.Next(look.drift, true)
		var told []string
		for _, e := range changed {
			told = append(told, e.Name)
		}
		if diff := cmp.Diff(look.told, told); diff != "" {
			t.Errorf("look %d (-want +told):\n%s", i, diff)
		}
		text, err := next.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if state, err = notify.DecodeState(text); err != nil {
			t.Fatal(err)
		}
	}
}

// A look at a part keeps what is known of the rest.
func TestANarrowLookForgetsNothing(t *testing.T) {
	all, _ := notify.State{}.Next(saw(one("x", "changes", "a"), one("y", "changes", "a")), true)
	part, changed := all.Next(saw(one("y", "changes", "a")), false)
	if len(changed) > 0 {
		t.Errorf("told %v", changed)
	}
	if _, changed = part.Next(saw(one("x", "changes", "a"), one("y", "changes", "a")), true); len(changed) > 0 {
		t.Errorf("told %v", changed)
	}
}

func TestFailureIsToldOnce(t *testing.T) {
	state, _ := notify.State{}.Next(saw(one("x", "changes", "a")), true)
	failing, news := state.Failing("corp")
	if !news {
		t.Error("the first failure is no news")
	}
	if failing, news = failing.Failing("corp"); news {
		t.Error("the second failure is news")
	}
	if next, changed := failing.Next(saw(one("x", "changes", "a")), true); len(changed) > 0 || next.Failed {
		t.Errorf("after the failure: %v, failed %t", changed, next.Failed)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	var many []report.DriftConnection
	for i := range 100 {
		many = append(many, one(fmt.Sprint("x", i), "changes", strings.Repeat("ü", 5000)))
	}
	_, changed := notify.State{}.Next(saw(many...), true)
	text := notify.Message(saw(many...), changed, true)
	if len([]rune(text)) > 15_000 || !strings.Contains(text, "... and 80 more") || !strings.Contains(text, "can be read again") {
		t.Errorf("%d runes: %.300s", len([]rune(text)), text)
	}
}
