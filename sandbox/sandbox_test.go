package sandbox_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/person"
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

// What befalls a Bitbucket reaches it however it wants its users to log in.
func TestPeopleNeedNoBasicAuthentication(t *testing.T) {
	world, err := sandbox.Start(t.Context(), sandbox.Options{Orgs: 1, Bitbuckets: []string{"10.4.2"}, SecondFactor: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	someone, err := person.New(world.Facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"group-grant", "archive-repository", "move-repository"} {
		if err := someone.Break(t.Context(), name, sandbox.OrgName(1)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	moved := false
	world.Bitbuckets[0].Inspect(func(st *bitbucketd.State) {
		r := st.Repo(sandbox.Project, "vpc-moved")
		moved = r != nil && r.Archived && st.Groups["terraform-admins"] != nil
	})
	if !moved {
		t.Error("nothing happened")
	}
}
