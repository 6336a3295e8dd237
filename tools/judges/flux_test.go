package judges_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/fluxcd/go-git-providers/stash"
	"github.com/go-logr/logr"
)

// fluxcd/go-git-providers has a client for Bitbucket Server, which is tested against a
// real one. It logs in with an HTTP access token.
func TestFlux(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, version)
			api, err := stash.NewClient(http.DefaultClient, w.url, nil, logr.Discard(), stash.WithAuth(admin, w.token(t)))
			must(t, err)
			judge(t, flux(t, api))
		})
	}
}

func flux(t *testing.T, api *stash.Client) []step {
	ctx, page := t.Context(), &stash.PagingOptions{Limit: 1}
	grant := &stash.RepositoryGroupPermission{Permission: "REPO_WRITE"}
	grant.Group.Name = "platform"
	return []step{
		{"users", func() (bool, error) {
			l, err := api.Users.List(ctx, page)
			return err == nil && len(l.Users) == 1 && !l.IsLastPage, err
		}},
		{"a user", func() (bool, error) {
			u, err := api.Users.Get(ctx, "svc-terraform")
			return err == nil && u.DisplayName == "Service" && u.Session.UserName == admin, err
		}},
		{"groups", func() (bool, error) {
			l, err := api.Groups.List(ctx, page)
			return err == nil && len(l.Groups) == 1, err
		}},
		{"a group", func() (bool, error) {
			g, err := api.Groups.Get(ctx, "platform")
			return err == nil && g.Name == "platform", err
		}},
		{"members", func() (bool, error) {
			l, err := api.Groups.AllGroupMembers(ctx, "platform")
			return err == nil && len(l) == 1, err
		}},
		{"projects", func() (bool, error) {
			l, err := api.Projects.All(ctx)
			return err == nil && len(l) == 1, err
		}},
		{"a project", func() (bool, error) {
			p, err := api.Projects.Get(ctx, "Infrastructure")
			return err == nil && p.Key == "INFRA", err
		}},
		{"make a repository", func() (bool, error) {
			r, err := api.Repositories.Create(ctx, "INFRA", &stash.Repository{Name: "New one", ScmID: "git", Forkable: true})
			return err == nil && r.Slug == "new-one", err
		}},
		{"repositories", func() (bool, error) {
			l, err := api.Repositories.All(ctx, "INFRA")
			return err == nil && len(l) == 2, err
		}},
		{"change a repository", func() (bool, error) {
			r, err := api.Repositories.Get(ctx, "INFRA", "new-one")
			if err != nil {
				return false, err
			}
			r.Description = "changed"
			changed, err := api.Repositories.Update(ctx, "INFRA", "new-one", r)
			return err == nil && changed.Description == "changed", err
		}},
		{"grant to a group", func() (bool, error) {
			return true, api.Repositories.UpdateRepositoryGroupPermission(ctx, "INFRA", "new-one", grant)
		}},
		{"groups on a repository", func() (bool, error) {
			l, err := api.Repositories.AllGroupsPermission(ctx, "INFRA", "new-one")
			return err == nil && len(l) == 1 && l[0].Permission == "REPO_WRITE", err
		}},
		{"users on a repository", func() (bool, error) {
			l, err := api.Repositories.ListRepositoryUsersPermission(ctx, "INFRA", "new-one", page)
			return err == nil && len(l.Users) == 0, err
		}},
		{"groups on a project", func() (bool, error) {
			l, err := api.Projects.AllGroupsPermission(ctx, "INFRA")
			return err == nil && len(l) == 0, err
		}},
		{"users on a project", func() (bool, error) {
			_, err := api.Projects.ListProjectUsersPermission(ctx, "INFRA", page)
			return true, err
		}},
		{"delete a repository", func() (bool, error) { return true, api.Repositories.Delete(ctx, "INFRA", "new-one") }},
		{"what is not there", func() (bool, error) {
			_, err := api.Repositories.Get(ctx, "INFRA", "new-one")
			return errors.Is(err, stash.ErrNotFound), nil
		}},
	}
}
