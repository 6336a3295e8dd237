package terraformd_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

const policySets, modules = "/api/v2/organizations/acme/policy-sets", "/api/v2/organizations/acme/registry-modules"

// entitle puts acme on the plan that has policies.
func (w *world) entitle(t *testing.T) {
	t.Helper()
	a := w.do(t, owner, "POST", "/api/v2/admin/organizations/acme/subscription",
		`{"data":{"type":"subscription","relationships":{"feature-set":{"data":{"id":"fs-business","type":"feature-sets"}}}}}`)
	if a.status != http.StatusNoContent {
		t.Fatalf("subscribing: %d %s", a.status, a.body)
	}
}

func policySetOptions(name, token string) tfe.PolicySetCreateOptions {
	return tfe.PolicySetCreateOptions{Name: &name, VCSRepo: &tfe.VCSRepoOptions{Identifier: new(testRepo), OAuthTokenID: &token}}
}

func moduleBody(identifier, token, more string) string {
	return `{"data":{"type":"registry-modules","attributes":{` + more + `"vcs-repo":{"identifier":"` + identifier +
		`","display-identifier":"` + identifier + `","oauth-token-id":"` + token + `"}}}}`
}

// addModule makes a registry module of a repository of its own, in an organization that
// is entitled to policy sets, too.
func (p *pair) addModule(t *testing.T, token string) *tfe.RegistryModule {
	t.Helper()
	p.entitle(t)
	must(t, p.bb.AddRepo("INFRA", "terraform-aws-vpc"))
	must(t, p.bb.Grant(bbRobot, bitbucketd.Place{Project: "INFRA", Repo: "terraform-aws-vpc"}, bitbucketd.RepoAdmin))
	module, err := p.client(t, owner).RegistryModules.CreateWithVCSConnection(t.Context(), tfe.RegistryModuleCreateWithVCSConnectionOptions{
		VCSRepo: &tfe.RegistryModuleVCSRepoOptions{
			Identifier: new("INFRA/terraform-aws-vpc"), DisplayIdentifier: new("INFRA/terraform-aws-vpc"), OAuthTokenID: &token,
		},
	})
	must(t, err)
	return module
}

// Policy sets and registry modules follow a repository as workspaces do, but for
// the clone. When their client goes, the policy set is unlinked and the module is
// left with a token that is no more.
func TestPolicySetsAndModules(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	c, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	module := p.addModule(t, token.ID)
	api := p.client(t, owner)
	set, err := api.PolicySets.Create(t.Context(), "acme", policySetOptions("baseline", token.ID))
	must(t, err)
	if r := set.VCSRepo; r == nil || r.OAuthTokenID != token.ID || r.ServiceProvider != "bitbucket_data_center" || set.Kind != tfe.Sentinel ||
		strings.Join(p.webhookURLs(t), "") != r.WebhookURL {
		t.Errorf("policy set %+v, %+v; webhooks %v", set, r, p.webhookURLs(t))
	}
	if r := module.VCSRepo; module.Name != "vpc" || module.Provider != "aws" || r.OAuthTokenID != token.ID || !r.IngressSubmodules || !r.Tags || r.Branch != "" {
		t.Errorf("module %+v, %+v", module, r)
	}
	must(t, api.OAuthClients.Delete(t.Context(), c.ID))
	sets, err := api.PolicySets.List(t.Context(), "acme", nil)
	must(t, err)
	if len(sets.Items) != 1 || sets.Items[0].VCSRepo != nil || sets.TotalCount != 1 {
		t.Errorf("policy sets %+v", sets.Items)
	}
	left, err := api.RegistryModules.List(t.Context(), "acme", nil)
	must(t, err)
	if len(left.Items) != 1 || left.Items[0].VCSRepo.OAuthTokenID != token.ID || left.CurrentPage != 1 {
		t.Errorf("modules %+v", left.Items)
	}
	must(t, api.PolicySets.Delete(t.Context(), set.ID))
	must(t, api.RegistryModules.DeleteProvider(t.Context(), tfe.RegistryModuleID{
		Organization: "acme", Namespace: "acme", Name: "vpc", Provider: "aws", RegistryName: tfe.PrivateRegistry,
	}))
	if a := p.do(t, owner, "GET", modules, ""); !strings.Contains(a.body, `"data":[]`) {
		t.Errorf("modules %s", a.body)
	}
}

// A policy set moves to another client, and its webhook with it; both are in what
// is kept from run to run.
func TestPolicySetMoves(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	p.entitle(t)
	_, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	api := p.client(t, owner)
	set, err := api.PolicySets.Create(t.Context(), "acme", policySetOptions("baseline", token.ID))
	must(t, err)
	for _, link := range p.links() {
		must(t, p.bb.RemoveLink(link))
	}
	_, second := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	after, err := api.PolicySets.Update(t.Context(), set.ID, tfe.PolicySetUpdateOptions{VCSRepo: &tfe.VCSRepoOptions{
		Identifier: new(testRepo), OAuthTokenID: &second.ID,
	}})
	must(t, err)
	if after.VCSRepo.OAuthTokenID != second.ID || after.Name != "baseline" || after.VCSRepo.WebhookURL == set.VCSRepo.WebhookURL {
		t.Errorf("after: %+v", after.VCSRepo)
	}
	folder := t.TempDir()
	must(t, p.Save(folder))
	again := terraformd.New(terraformd.Options{})
	must(t, again.Load(folder))
	t.Cleanup(again.Close)
	web := httptest.NewServer(again.Handler())
	t.Cleanup(web.Close)
	w := &world{again, web.URL}
	if a := w.do(t, owner, "PATCH", "/api/v2/policy-sets/"+set.ID, `{"data":{"type":"policy-sets","attributes":{"name":"renamed"}}}`); !strings.Contains(a.body, second.ID) {
		t.Errorf("kept: %d %s", a.status, a.body)
	}
}

func TestPolicySetsAndModulesRefused(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	_, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	set := func(name, identifier, token string) string {
		return `{"data":{"type":"policy-sets","attributes":{"name":"` + name + `","vcs-repo":{"identifier":"` + identifier + `","oauth-token-id":"` + token + `"}}}}`
	}
	if a := p.do(t, owner, "GET", policySets, ""); a.status != http.StatusNotFound {
		t.Errorf("policy sets without the entitlement: %d", a.status)
	}
	p.entitle(t)
	for name, c := range map[string]struct {
		user, path, body string
		status           int
		detail           string
	}{
		"set, unknown token":           {owner, policySets, set("p", testRepo, "ot-unknown"), 422, "OAuth token does not exist"},
		"set, no such repository":      {owner, policySets, set("p", "INFRA/none", token.ID), 422, "isn't accessible"},
		"set, bad identifier":          {owner, policySets, set("p", "vpc", token.ID), 422, "isn't accessible"},
		"set, bad name":                {owner, policySets, set("a b", testRepo, token.ID), 422, "Name can only include"},
		"set, unknown attribute":       {owner, policySets, `{"data":{"type":"policy-sets","attributes":{"name":"p","token":"x"}}}`, 422, "token is not an attribute"},
		"set, unknown kind":            {owner, policySets, `{"data":{"type":"policy-sets","attributes":{"name":"p","kind":"x"}}}`, 422, "Kind is not included"},
		"set, path without repository": {owner, policySets, `{"data":{"type":"policy-sets","attributes":{"name":"p","policies-path":"x"}}}`, 422, "only be specified with a VCS"},
		"set, VCS permission only":     {manager, policySets, set("p", testRepo, token.ID), 404, ""},
		"set, organization's token":    {orgToken, policySets, set("made", testRepo, token.ID), 201, ""},
		"sets, VCS permission only":    {manager, policySets, "", 404, ""},
		"sets, member":                 {member, policySets, "", 404, ""},
		"modules, member":              {member, modules, "", 200, ""},
		"modules, stranger":            {stranger, modules, "", 404, ""},
		"module, unknown token":        {owner, modules + "/vcs", moduleBody("INFRA/terraform-a-b", "ot-unknown", ""), 422, "OAuth token does not exist"},
		"module, old path":             {owner, "/api/v2/registry-modules", moduleBody("INFRA/terraform-a-b", "ot-unknown", ""), 422, "OAuth token does not exist"},
		"module, no such repository":   {owner, modules + "/vcs", moduleBody("INFRA/terraform-a-b", token.ID, ""), 422, "isn't accessible"},
		"module, bad identifier":       {owner, modules + "/vcs", moduleBody("vpc", token.ID, `"name":"a","provider":"b",`), 422, "isn't accessible"},
		"module, nameless":             {owner, modules + "/vcs", moduleBody(testRepo, token.ID, ""), 422, "terraform-<PROVIDER>-<NAME>"},
		"module, VCS permission only":  {manager, modules + "/vcs", moduleBody(testRepo, token.ID, `"name":"a","provider":"b",`), 404, ""},
		"module, no display": {
			owner, modules + "/vcs", strings.Replace(moduleBody(testRepo, token.ID, ""), `"display-identifier":"INFRA/vpc",`, "", 1), 422, "Display identifier",
		},
	} {
		method := "POST"
		if c.body == "" {
			method = "GET"
		}
		if a := p.do(t, c.user, method, c.path, c.body); a.status != c.status || !strings.Contains(a.detail(), c.detail) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	named := moduleBody(testRepo, token.ID, `"name":"a","provider":"b",`)
	for _, want := range []int{http.StatusCreated, http.StatusUnprocessableEntity} {
		if a := p.do(t, owner, "POST", modules+"/vcs", named); a.status != want {
			t.Errorf("a module twice: %d %s", a.status, a.body)
		}
	}
	if n := len(p.webhookURLs(t)); n != 2 {
		t.Errorf("%d webhooks for a policy set and a module", n)
	}
}
