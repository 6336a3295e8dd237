package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
)

// TestMoveCutOff: a record that says where its keys still are is not in sync, and
// what is left is to empty the other one.
func TestMoveCutOff(t *testing.T) {
	want, have := aConnection(), inSync()
	have.Record.MovedFrom = "corp/before"
	got := plan.Diff(fleet, want, have, noon)
	steps := []plan.Step{plan.MoveRecord{From: "corp/before", To: want.Record, Address: have.Record.Address}}
	if diff := cmp.Diff(steps, got.Steps()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestMovedOn: the files move a record on whose own move was cut off.
func TestMovedOn(t *testing.T) {
	want, have := aConnection(), inSync()
	moved := have.Record
	moved.MovedFrom, moved.LinkURL = "corp/first", want.Link.URL
	have.Record, have.Moved = nil, &plan.MovedRecord{Path: "corp/second", Record: moved}
	got := plan.Diff(fleet, want, have, noon).Steps()
	step := plan.MoveRecord{From: "corp/second", To: want.Record, Before: "corp/first", Address: moved.Address, Basis: moved.Basis()}
	if len(got) == 0 || got[0] != plan.Step(step) || !strings.Contains(step.String(), "and empty the one at corp/first") {
		t.Errorf("have %v, want %v", got, step)
	}
}
