package judges_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	bitbucket "github.com/gfleury/go-bitbucket-v1"
)

type options = map[string]interface{}

// gfleury/go-bitbucket-v1 is made from the vendor's own description of the REST API.
func TestGfleury(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, version)
			ctx := context.WithValue(t.Context(), bitbucket.ContextBasicAuth, bitbucket.BasicAuth{UserName: admin, Password: password})
			config := bitbucket.NewConfiguration(w.url + "/rest")
			config.AddDefaultHeader("X-Atlassian-Token", "no-check")
			config.HTTPClient = http.DefaultClient
			api := bitbucket.NewAPIClient(ctx, config).DefaultApi
			judge(t, gfleury(t, api))
		})
	}
}

// is makes a step of a call whose answer nothing is asked of.
func is(call func() (*bitbucket.APIResponse, error)) func() (bool, error) {
	return func() (bool, error) {
		r, err := call()
		return err == nil && r != nil && r.Response != nil && r.StatusCode < 300, err
	}
}

// gives makes a step of a call that answers with something, which must fit.
func gives[T any](call func() (*bitbucket.APIResponse, error), read func(*bitbucket.APIResponse) (T, error), fits func(T) bool) func() (bool, error) {
	return func() (bool, error) {
		r, err := call()
		if err != nil {
			return false, err
		}
		value, err := read(r)
		return err == nil && fits(value), err
	}
}

func gfleury(t *testing.T, api *bitbucket.DefaultApiService) []step {
	type answer = *bitbucket.APIResponse
	user, key := options{"name": "svc-terraform"}, publicKey(t)
	one := func(size int) func([]bitbucket.UserPermission) bool {
		return func(list []bitbucket.UserPermission) bool { return len(list) == size }
	}
	hook := bitbucket.Webhook{Name: "n", Url: "https://a.example", Events: []string{"repo:refs_changed"}, Active: true}
	json := []string{"application/json"}
	return []step{
		{"application properties", is(func() (answer, error) { return api.GetApplicationProperties() })},
		{"make a user", is(func() (answer, error) {
			return api.CreateUser(options{"name": "ann", "password": "p", "displayName": "Ann", "emailAddress": "ann@example.com"})
		})},
		{"users", gives(func() (answer, error) { return api.GetUsers(options{"filter": "ann"}) }, bitbucket.GetUsersResponse, func(l []bitbucket.User) bool { return len(l) == 1 && l[0].Name == "ann" })},
		{"a user", is(func() (answer, error) { return api.GetUser("svc-terraform") })},
		{"make a group", is(func() (answer, error) { return api.CreateGroup(options{"name": "more"}) })},
		{"groups", is(func() (answer, error) { return api.GetGroups(options{"filter": "more"}) })},
		{"join groups", is(func() (answer, error) { return api.AddUserToGroups("ann", []string{"more", "platform"}) })},
		{"members", is(func() (answer, error) { return api.FindUsersInGroup(options{"context": "more"}) })},
		{"SSH keys", gives(func() (answer, error) { return api.GetSSHKeys("svc-terraform") }, bitbucket.GetSSHKeysResponse, func(l []bitbucket.SSHKey) bool { return len(l) == 0 })},
		{"add an SSH key", is(func() (answer, error) { return api.CreateSSHKey(options{"user": "svc-terraform", "text": key}) })},
		{"SSH keys again", gives(func() (answer, error) { return api.GetSSHKeys("svc-terraform") }, bitbucket.GetSSHKeysResponse, func(l []bitbucket.SSHKey) bool { return len(l) == 1 && l[0].Label == "judge" })},
		{"make a project", is(func() (answer, error) {
			return api.CreateProject(bitbucket.Project{Key: "NEW", Name: "New", Description: "d"})
		})},
		{"a project", gives(func() (answer, error) { return api.GetProject("NEW") }, bitbucket.GetRrojectResponse, func(p bitbucket.Project) bool { return p.Key == "NEW" && p.Description == "d" })},
		{"projects", gives(func() (answer, error) { return api.GetProjects(options{"name": "new"}) }, bitbucket.GetProjectsResponse, func(l []bitbucket.Project) bool { return len(l) == 1 })},
		{"make a repository", is(func() (answer, error) { return api.CreateRepository("NEW", bitbucket.Repository{Name: "One two"}) })},
		{"a repository", gives(func() (answer, error) { return api.GetRepository("NEW", "one-two") }, bitbucket.GetRepositoryResponse, func(r bitbucket.Repository) bool {
			return r.Slug == "one-two" && r.Links != nil && len(r.Links.Clone) == 2
		})},
		{"repositories of a project", gives(func() (answer, error) { return api.GetRepositories("NEW") }, bitbucket.GetRepositoriesResponse, func(l []bitbucket.Repository) bool { return len(l) == 1 })},
		{"repositories", gives(func() (answer, error) { return api.GetRepositories_19(options{"name": "vpc"}) }, bitbucket.GetRepositoriesResponse, func(l []bitbucket.Repository) bool { return len(l) == 1 })},
		{"grant on a repository", is(func() (answer, error) {
			return api.SetPermissionForUser("INFRA", "vpc", options{"name": "svc-terraform", "permission": "REPO_ADMIN"})
		})},
		{"grants on a repository", gives(func() (answer, error) { return api.GetUsersWithAnyPermission_24("INFRA", "vpc", options{}) }, bitbucket.GetUsersPermissionResponse, one(1))},
		{"grant to a group", func() (bool, error) { // its answer to a 204 is nil
			_, err := api.SetRepositoryPermissionGroups("INFRA", "vpc", "REPO_READ", []string{"platform"}, nil)
			return true, err
		}},
		{"groups on a repository", gives(func() (answer, error) { return api.GetGroupsWithAnyPermission_13("INFRA", "vpc", options{}) }, bitbucket.GetGroupsPermissionResponse, func(l []bitbucket.GroupPermission) bool { return len(l) == 1 })},
		{"revoke from a group", is(func() (answer, error) {
			return api.RevokePermissionsForGroup_29("INFRA", "vpc", options{"name": "platform"})
		})},
		{"revoke on a repository", is(func() (answer, error) { return api.RevokePermissionsForUser_31("INFRA", "vpc", user) })},
		{"grants are gone", gives(func() (answer, error) { return api.GetUsersWithAnyPermission_24("INFRA", "vpc", options{}) }, bitbucket.GetUsersPermissionResponse, one(0))},
		{"grant on a project", is(func() (answer, error) {
			return api.SetPermissionForUsers_33("INFRA", options{"name": "svc-terraform", "permission": "PROJECT_READ"})
		})},
		{"grants on a project", gives(func() (answer, error) { return api.GetUsersWithAnyPermission_23("INFRA", options{}) }, bitbucket.GetUsersPermissionResponse, one(1))},
		{"revoke on a project", is(func() (answer, error) { return api.RevokePermissionsForUser_30("INFRA", user) })},
		{"global grants", is(func() (answer, error) { return api.GetUsersWithAnyPermission(options{}) })},
		{"global grants of groups", is(func() (answer, error) { return api.GetGroupsWithAnyPermission(options{}) })},
		{"hooks", is(func() (answer, error) { return api.GetRepositoryHooks("INFRA", "vpc", options{}) })},
		{"enable a hook", is(func() (answer, error) {
			return api.EnableHook("INFRA", "vpc", "com.atlassian.bitbucket.server.bitbucket-bundled-hooks:force-push-hook", options{})
		})},
		{"a hook", is(func() (answer, error) {
			return api.GetRepositoryHook("INFRA", "vpc", "com.atlassian.bitbucket.server.bitbucket-bundled-hooks:force-push-hook")
		})},
		{"disable a hook", is(func() (answer, error) {
			return api.DisableHook("INFRA", "vpc", "com.atlassian.bitbucket.server.bitbucket-bundled-hooks:force-push-hook")
		})},
		{"make a webhook", is(func() (answer, error) { return api.CreateWebhook("INFRA", "vpc", hook, json) })},
		{"webhooks", gives(func() (answer, error) { return api.FindWebhooks("INFRA", "vpc", options{}) }, bitbucket.GetWebhooksResponse, func(l []bitbucket.Webhook) bool { return len(l) == 1 && l[0].Url == hook.Url })},
		{"delete a repository", is(func() (answer, error) { return api.DeleteRepository("NEW", "one-two") })},
		{"delete a project", func() (bool, error) { // it reads JSON from the empty 204; that the project is gone shows below
			_, err := api.DeleteProject("NEW")
			return errors.Is(err, io.EOF), nil
		}},
		{"delete a group", is(func() (answer, error) { return api.DeleteGroup(options{"name": "more"}) })},
		{"delete a user", is(func() (answer, error) { return api.DeleteUser(options{"name": "ann"}) })},
		{"what is not there", func() (bool, error) {
			_, err := api.GetProject("NEW")
			return err != nil, nil
		}},
	}
}
