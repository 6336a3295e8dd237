package terraformd_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// What lists link to can be read, changed in part, and is the same afterwards.
func TestPolicySetsAndModulesAreRead(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	_, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	p.addModule(t, token.ID)
	api := p.client(t, owner)
	space, err := api.Workspaces.Create(t.Context(), "acme", tfe.WorkspaceCreateOptions{Name: new("vpc")})
	must(t, err)
	options := policySetOptions("baseline", token.ID)
	options.Workspaces = []*tfe.Workspace{space}
	set, err := api.PolicySets.Create(t.Context(), "acme", options)
	must(t, err)
	read, err := api.PolicySets.Read(t.Context(), set.ID)
	must(t, err)
	if read.WorkspaceCount != 1 || len(read.Workspaces) != 1 || read.VCSRepo == nil || read.VCSRepo.OAuthTokenID != token.ID {
		t.Errorf("policy set: %+v", read)
	}
	must(t, api.PolicySets.RemoveWorkspaces(t.Context(), set.ID, tfe.PolicySetRemoveWorkspacesOptions{Workspaces: []*tfe.Workspace{space}}))
	if read, err = api.PolicySets.Read(t.Context(), set.ID); err != nil || read.WorkspaceCount != 0 {
		t.Errorf("after its workspace was removed: %+v, %v", read, err)
	}
	module := tfe.RegistryModuleID{Organization: "acme", Name: "vpc", Provider: "aws", Namespace: "acme", RegistryName: tfe.PrivateRegistry}
	found, err := api.RegistryModules.Read(t.Context(), module)
	must(t, err)
	if found.VCSRepo == nil || found.VCSRepo.Identifier != "INFRA/terraform-aws-vpc" {
		t.Errorf("module: %+v", found)
	}
	module.Name = "missing"
	if _, err := api.RegistryModules.Read(t.Context(), module); err == nil {
		t.Error("a module that is not there is read")
	}
}

// A workspace keeps what it is given, and tells it.
func TestWorkspaceKeepsItsSettings(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	_, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	api := p.client(t, owner)
	options := workspaceOptions("vpc", token.ID)
	options.Operations, options.TriggerPrefixes = new(false), []string{"/a"}
	options.Tags = []*tfe.Tag{{Name: "network"}, {Name: "prod"}}
	made, err := api.Workspaces.Create(t.Context(), "acme", options)
	must(t, err)
	if made.ExecutionMode != "local" || made.Operations || !slices.Equal(made.TagNames, []string{"network", "prod"}) {
		t.Errorf("made: %+v", made)
	}
	body := `{"data":{"type":"workspaces","attributes":{"vcs-repo":{"source-directory":"modules/vpc","tag-prefix":"vpc-"}}}}`
	if have := p.do(t, owner, "PATCH", "/api/v2/workspaces/"+made.ID, body); !strings.Contains(have.body, `"tag-prefix":"vpc-","source-directory":"modules/vpc"`) {
		t.Errorf("source directory and tag prefix: %s", have.body)
	}
	changed, err := api.Workspaces.UpdateByID(t.Context(), made.ID, tfe.WorkspaceUpdateOptions{TriggerPatterns: []string{"/b/**"}, AutoApply: new(true)})
	must(t, err)
	if len(changed.TriggerPrefixes) != 0 || !slices.Equal(changed.TriggerPatterns, []string{"/b/**"}) || !changed.AutoApply {
		t.Errorf("patterns replace prefixes: %+v", changed)
	}
	for search, want := range map[string]int{"VP": 1, "vp": 1, "x": 0} {
		list, err := api.Workspaces.List(t.Context(), "acme", &tfe.WorkspaceListOptions{Search: search})
		must(t, err)
		if len(list.Items) != want {
			t.Errorf("search for %q: %d", search, len(list.Items))
		}
	}
	list, err := api.Workspaces.List(t.Context(), "acme", &tfe.WorkspaceListOptions{Tags: "prod,network"})
	must(t, err)
	if len(list.Items) != 1 {
		t.Errorf("by tags: %d", len(list.Items))
	}
}

func TestUnknownAttributesAreRefusedEverywhere(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	for _, attributes := range []string{`"title":"x"`, `"vcs-repo":{"repository":"A/b"}`, `"auto-apply":"yes"`, `"setting-overwrites":{"mode":true}`} {
		body := `{"data":{"type":"workspaces","attributes":{"name":"vpc",` + attributes + `}}}`
		if have := w.do(t, owner, "POST", "/api/v2/organizations/acme/workspaces", body); have.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", attributes, have.status, have.body)
		}
	}
}

func TestAgentPoolsAreChangedAndFound(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	api := w.client(t, owner)
	made, err := api.AgentPools.Create(t.Context(), "acme", tfe.AgentPoolCreateOptions{Name: new("Blue")})
	must(t, err)
	changed, err := api.AgentPools.Update(t.Context(), made.ID, tfe.AgentPoolUpdateOptions{Name: new("Green")})
	must(t, err)
	for search, want := range map[string]int{"gre": 1, "blue": 0} {
		list, err := api.AgentPools.List(t.Context(), "acme", &tfe.AgentPoolListOptions{Query: search})
		must(t, err)
		if len(list.Items) != want || changed.Name != "Green" {
			t.Errorf("search for %q: %d", search, len(list.Items))
		}
	}
	mode := tfe.WorkspaceCreateOptions{Name: new("vpc"), ExecutionMode: new("agent"), AgentPoolID: &made.ID}
	space, err := api.Workspaces.Create(t.Context(), "acme", mode)
	must(t, err)
	if space.AgentPool == nil || space.AgentPool.ID != made.ID {
		t.Errorf("agent pool of the workspace: %+v", space.AgentPool)
	}
	mode.Name, mode.AgentPoolID = new("other"), new("apool-unknown")
	if _, err := api.Workspaces.Create(t.Context(), "acme", mode); err == nil {
		t.Error("an unknown agent pool")
	}
}

func TestLockedWorkspaceIsNotDeletedSafely(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	api := w.client(t, owner)
	space, err := api.Workspaces.Create(t.Context(), "acme", tfe.WorkspaceCreateOptions{Name: new("vpc")})
	must(t, err)
	_, err = api.Workspaces.Lock(t.Context(), space.ID, tfe.WorkspaceLockOptions{})
	must(t, err)
	if err := api.Workspaces.SafeDeleteByID(t.Context(), space.ID); err == nil {
		t.Error("deleted although locked")
	}
	if _, err := w.client(t, manager).Workspaces.Unlock(t.Context(), space.ID); err == nil {
		t.Error("unlocked by another user")
	}
	_, err = api.Workspaces.Unlock(t.Context(), space.ID)
	must(t, err)
	must(t, api.Workspaces.SafeDeleteByID(t.Context(), space.ID))
}
