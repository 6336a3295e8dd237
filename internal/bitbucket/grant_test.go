package bitbucket

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
)

func TestPermissions(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	ctx, c := t.Context(), w.client
	for i := range 60 {
		must(t, w.AddRepo("INFRA", fmt.Sprintf("r%d", i)))
	}
	must(t, w.AddGroup("admins", "svc@tf"))
	must(t, w.AddProject("TEAM", "Team"))
	must(t, w.Grant("@admins", bitbucketd.Place{Project: "TEAM"}, bitbucketd.ProjectAdmin))
	wants := []Permission{{"TEAM", "", "PROJECT_ADMIN"}, {"", "", "LICENSED_USER"}, {"", "", "ADMIN"}}
	want := []bool{true, true, false}
	for i := range 60 {
		if i%20 != 7 {
			must(t, w.Grant("svc@tf", bitbucketd.Place{Project: "INFRA", Repo: fmt.Sprintf("r%d", i)}, bitbucketd.RepoAdmin))
		}
		wants = append(wants, Permission{"INFRA", fmt.Sprintf("r%d", i), "REPO_ADMIN"})
		want = append(want, i%20 != 7)
	}
	have, err := c.HasPermissions(ctx, "svc@tf", wants)
	if err != nil || !slices.Equal(held(have), want) {
		t.Errorf("%v, %v", have, err)
	}
	before := total(w.front)
	have, err = c.HasPermissions(ctx, "admin", wants)
	if err != nil || slices.Contains(held(have), false) || total(w.front)-before != 2 {
		t.Errorf("%v after %d requests, %v", have, total(w.front)-before, err)
	}
	have, err = c.HasPermissions(ctx, "admin", []Permission{{"INFRA", "vpc", "REPO_ADMIN"}, {"INFRA", "gone", "REPO_ADMIN"}, {"NO", "", "PROJECT_READ"}})
	if err != nil || !slices.Equal(held(have), []bool{true, false, false}) || have[0].Unknown != nil {
		t.Fatalf("%v, %v", have, err)
	}
	for i, name := range map[int]string{1: "INFRA/gone", 2: "project NO"} {
		if err := have[i].Unknown; !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func held(list []Holding) []bool {
	var bools []bool
	for _, h := range list {
		bools = append(bools, h.Held)
	}
	return bools
}

func total(f *front.Front) int { return f.Counts().Total }

func TestGrant(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.client
		for range 2 {
			must(t, c.Grant(ctx, "svc@tf", Permission{"INFRA", "vpc", "REPO_ADMIN"}))
		}
		must(t, c.Grant(ctx, "svc@tf", Permission{"INFRA", "vpc", "REPO_READ"})) // must not lower it
		if !w.Allowed("svc@tf", "INFRA", "vpc", bitbucketd.RepoAdmin) || w.Allowed("svc@tf", "INFRA", "dns", bitbucketd.RepoRead) {
			t.Error("not the permission that was granted")
		}
		must(t, c.Grant(ctx, "svc@tf", Permission{"INFRA", "", "PROJECT_WRITE"}))
		for _, p := range []Permission{{"INFRA", "gone", "REPO_ADMIN"}, {"GONE", "", "PROJECT_ADMIN"}} {
			if err := c.Grant(ctx, "svc@tf", p); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", p, err)
			}
		}
		if err := c.Grant(ctx, "nobody", Permission{"INFRA", "vpc", "REPO_ADMIN"}); err == nil {
			t.Error("granted to nobody")
		}
		for _, p := range []Permission{{"INFRA", "", "REPO_ADMIN"}, {"INFRA", "vpc", "PROJECT_ADMIN"}, {"", "", "ADMIN"}} {
			if err := c.Grant(ctx, "svc@tf", p); err == nil {
				t.Errorf("granted %s", p)
			}
		}
	})
}

// A write to a repository that was moved is not sent on to where it is now.
func TestMovedRepositoriesAreNotWrittenTo(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308, 409, 500} {
		w := newWorld(t, bitbucketd.Options{})
		must(t, w.Configure(func(s *bitbucketd.Settings) { s.MovedStatus = status }))
		must(t, w.MoveRepo("INFRA", "vpc", "INFRA", "network"))
		if err := w.client.Grant(t.Context(), "svc@tf", Permission{"INFRA", "vpc", "REPO_ADMIN"}); err == nil || w.Allowed("svc@tf", "INFRA", "network", bitbucketd.RepoAdmin) {
			t.Errorf("%d: granted, %v", status, err)
		}
		q := call{op: "granting", method: "PUT", path: repoPath("INFRA", "vpc") + "/permissions/users?name=svc%40tf&permission=REPO_ADMIN", idempotent: true}
		if err := w.client.do(t.Context(), q, nothing); !errors.Is(err, ErrMoved) || w.Allowed("svc@tf", "INFRA", "network", bitbucketd.RepoAdmin) {
			t.Errorf("%d: written, %v", status, err)
		}
	}
}
