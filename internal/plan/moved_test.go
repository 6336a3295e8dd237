package plan_test

import (
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
