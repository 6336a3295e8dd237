package plan_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/bbsync/bbsync/internal/plan/plantest"
)

// kindForm is the form of names for machines that the schemas ask for.
var kindForm = regexp.MustCompile(`^[a-z][a-z_]*$`)

// TestKinds reads the source: each kind is there once, in the form that the schemas
// ask for. The compiler makes sure that each step has one.
func TestKinds(t *testing.T) {
	kinds := slices.Concat(plantest.ConnectionKinds(t), plantest.SharedKinds(t))
	for i, kind := range kinds {
		if slices.Contains(kinds[:i], kind) || !kindForm.MatchString(kind) {
			t.Errorf("the kind %q is not well formed, or is there twice", kind)
		}
	}
	if len(kinds) < 30 {
		t.Errorf("only %d kinds were found", len(kinds))
	}
}
