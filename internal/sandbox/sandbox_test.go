package sandbox_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/sandbox"
)

// A world in a folder comes back with the addresses and credentials that it had,
// and what it tells can be used from any folder.
func TestStateIsKept(t *testing.T) {
	t.Chdir(t.TempDir())
	run := func() sandbox.Facts {
		world, err := sandbox.Start(t.Context(), sandbox.Options{State: "state", Orgs: 1, Bitbuckets: []string{"9.4.0"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := world.Close(); err != nil {
			t.Fatal(err)
		}
		return world.Facts
	}
	first := run()
	if !filepath.IsAbs(first.CAFile) {
		t.Errorf("the CA file is told as %s", first.CAFile)
	}
	if diff := cmp.Diff(first, run()); diff != "" {
		t.Errorf("the second time:\n%s", diff)
	}
}
