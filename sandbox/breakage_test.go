package sandbox_test

import (
	"testing"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/person"
)

// What is archived, moved or renamed by hand is so afterwards.
func TestArchivedMovedAndRenamed(t *testing.T) {
	repo := func(st *bitbucketd.State, project, slug string) *bitbucketd.Repo { return st.Repo(project, slug) }
	first, moved := sandbox.Repositories()[0], sandbox.Repositories()[0]+"-moved"
	for name, done := range map[string]func(*sandbox.World, *bitbucketd.State) bool{
		"archive-repository": func(_ *sandbox.World, st *bitbucketd.State) bool { return repo(st, sandbox.Project, first).Archived },
		"freeze-repository": func(_ *sandbox.World, st *bitbucketd.State) bool {
			return repo(st, sandbox.Project, first).Archived && st.Settings.ArchivedFrozen
		},
		"move-repository":     func(_ *sandbox.World, st *bitbucketd.State) bool { return repo(st, sandbox.Project, moved) != nil },
		"transfer-repository": func(_ *sandbox.World, st *bitbucketd.State) bool { return repo(st, "ARCHIVE", first) != nil },
		"rename-project":      func(_ *sandbox.World, st *bitbucketd.State) bool { return repo(st, sandbox.Project+"2", first) != nil },
		"moved-conflict":      func(_ *sandbox.World, st *bitbucketd.State) bool { return st.Settings.MovedStatus == 409 },
		"moved-error":         func(_ *sandbox.World, st *bitbucketd.State) bool { return st.Settings.MovedStatus == 500 },
		"rename-user":         func(_ *sandbox.World, st *bitbucketd.State) bool { return st.User("svc-renamed") != nil },
		"deactivate-user":     func(_ *sandbox.World, st *bitbucketd.State) bool { return st.User(sandbox.ServiceUser).Inactive },
		"unlicense-user": func(_ *sandbox.World, st *bitbucketd.State) bool {
			return !st.Groups["stash-users"].Members[sandbox.ServiceUser]
		},
		"rename-organization": func(w *sandbox.World, _ *bitbucketd.State) bool {
			return w.Terraform.Organizations()[0] == sandbox.OrgName(1)+"-renamed"
		},
	} {
		t.Run(name, func(t *testing.T) {
			world, err := sandbox.Start(t.Context(), sandbox.Options{Orgs: 1, Bitbuckets: []string{"9.4.0"}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := world.Close(); err != nil {
					t.Error(err)
				}
			}()
			someone, err := person.New(world.Facts)
			if err != nil {
				t.Fatal(err)
			}
			if err := someone.Break(t.Context(), name, sandbox.OrgName(1)); err != nil {
				t.Fatal(err)
			}
			world.Bitbuckets[0].Inspect(func(st *bitbucketd.State) {
				if !done(world, st) {
					t.Error("nothing happened")
				}
			})
		})
	}
}
