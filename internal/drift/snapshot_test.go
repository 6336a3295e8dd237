package drift

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
)

func saw(connections ...Connection) Report {
	return Report{Fleet: "corp", Connections: connections}
}

func one(address string, state plan.State, live ...string) Connection {
	c := Connection{Address: address, State: state}
	for _, l := range live {
		c.Differences = append(c.Differences, Difference{Kind: "client", What: "name", Live: l, Want: "b"})
	}
	return c
}

func unread(address, why string) Connection {
	return Connection{Address: address, State: "unreadable", Blocks: []Block{{Kind: "unreadable", Text: why}}}
}

// Each look is after the one before; told is what is news then.
func TestOnlyChangesAreNews(t *testing.T) {
	moved := one("x", "changes", "a")
	moved.Differences[0].At.Line = 7
	var state Snapshot
	for i, look := range []struct {
		drift Report
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
		{Report{Fleet: "another", Connections: []Connection{one("y", "changes", "a")}}, []string{"y"}},
	} {
		next, changed := state.Next(look.drift, true)
		var told []string
		for _, e := range changed {
			told = append(told, e.Address)
		}
		if diff := cmp.Diff(look.told, told); diff != "" {
			t.Errorf("look %d (-want +told):\n%s", i, diff)
		}
		text, err := next.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if state, err = DecodeSnapshot(text); err != nil {
			t.Fatal(err)
		}
	}
}

// A look at a part keeps what is known of the rest.
func TestANarrowLookForgetsNothing(t *testing.T) {
	all, _ := Snapshot{}.Next(saw(one("x", "changes", "a"), one("y", "changes", "a")), true)
	part, changed := all.Next(saw(one("y", "changes", "a")), false)
	if len(changed) > 0 {
		t.Errorf("told %v", changed)
	}
	if _, changed = part.Next(saw(one("x", "changes", "a"), one("y", "changes", "a")), true); len(changed) > 0 {
		t.Errorf("told %v", changed)
	}
}

func TestFailureIsToldOnce(t *testing.T) {
	state, _ := Snapshot{}.Next(saw(one("x", "changes", "a")), true)
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
