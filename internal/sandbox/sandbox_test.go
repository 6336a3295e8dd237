package sandbox_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/bbsync/bbsync/internal/sandbox"
)

// What a world in a folder tells can be used from any other folder.
func TestStateInARelativeFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	world, err := sandbox.Start(t.Context(), sandbox.Options{State: "state", Orgs: 1, Bitbuckets: []string{"9.4.0"}})
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(world.Facts.CAFile) {
		t.Errorf("the CA file is told as %s", world.Facts.CAFile)
	}
	if err := world.Close(); err != nil {
		t.Fatal(err)
	}
}

// A second sandbox of one folder would save over the first.
func TestOneSandboxForAFolder(t *testing.T) {
	opts := sandbox.Options{State: t.TempDir(), Orgs: 1, Bitbuckets: []string{"9.4.0"}}
	world, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	}()
	second, err := sandbox.Start(t.Context(), opts)
	if err == nil {
		_ = second.Close()
		t.Fatal("it started")
	}
	if !errors.Is(err, sandbox.ErrInUse) {
		t.Error(err)
	}
}
