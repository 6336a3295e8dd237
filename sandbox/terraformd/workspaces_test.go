package terraformd_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

func workspaceOptions(name, token string) tfe.WorkspaceCreateOptions {
	return tfe.WorkspaceCreateOptions{
		Name: new(name), VCSRepo: &tfe.VCSRepoOptions{Identifier: new(testRepo), OAuthTokenID: new(token)},
	}
}

// newWorkspace is called vpc and follows INFRA/vpc.
func (p *pair) newWorkspace(t *testing.T, token string) *tfe.Workspace {
	t.Helper()
	w, err := p.client(t, owner).Workspaces.Create(t.Context(), "acme", workspaceOptions("vpc", token))
	must(t, err)
	p.Settle()
	return w
}

// webhookURLs are those that Bitbucket has for the repository.
func (p *pair) webhookURLs(t *testing.T) (urls []string) {
	t.Helper()
	p.bb.Inspect(func(st *bitbucketd.State) {
		for _, h := range st.Repo("INFRA", "vpc").Webhooks {
			urls = append(urls, h.URL)
		}
	})
	return urls
}

func TestWorkspaceClones(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	c, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	made := p.newWorkspace(t, token.ID)
	if !strings.HasPrefix(made.VCSRepo.WebhookURL, p.url+"/webhooks/vcs/") || !slices.Contains(p.webhookURLs(t), made.VCSRepo.WebhookURL) {
		t.Errorf("webhook %q, Bitbucket has %v", made.VCSRepo.WebhookURL, p.webhookURLs(t))
	}
	if made.VCSRepo.OAuthTokenID != token.ID || made.VCSRepo.Identifier != testRepo || made.VCSRepo.ServiceProvider != "bitbucket_data_center" {
		t.Errorf("vcs-repo %+v", made.VCSRepo)
	}
	api := p.client(t, owner)
	versions, err := api.ConfigurationVersions.List(t.Context(), made.ID, nil)
	must(t, err)
	if len(versions.Items) != 1 || versions.Items[0].Status != tfe.ConfigurationUploaded {
		t.Fatalf("configuration versions: %+v, %+v", versions.Items, p.Fetches())
	}
	version, err := api.ConfigurationVersions.ReadWithOptions(t.Context(), versions.Items[0].ID, &tfe.ConfigurationVersionReadOptions{
		Include: []tfe.ConfigVerIncludeOpt{tfe.ConfigVerIngressAttributes},
	})
	must(t, err)
	if len(version.IngressAttributes.CommitSHA) != 40 || version.IngressAttributes.CommitSHA != p.Fetches()[0].Commit {
		t.Errorf("ingress %+v, fetches %+v", version.IngressAttributes, p.Fetches())
	}
	again, err := api.Workspaces.Read(t.Context(), "acme", "vpc")
	must(t, err)
	if again.CurrentConfigurationVersion == nil || again.CurrentConfigurationVersion.ID != version.ID {
		t.Errorf("current configuration version %+v", again.CurrentConfigurationVersion)
	}
	if err := p.canClone(t); err != nil {
		t.Errorf("cannot clone: %v", err)
	}
	affected := p.do(t, member, "GET", "/api/v2/oauth-clients/"+c.ID+"?show_affected_workspaces=true", "")
	if !strings.Contains(affected.body, `"affected-workspaces":["vpc"],"affected-workspaces-count":1`) {
		t.Errorf("affected workspaces: %s", affected.body)
	}
	must(t, api.Workspaces.Delete(t.Context(), "acme", "vpc"))
	if left := p.webhookURLs(t); len(left) != 0 {
		t.Errorf("webhooks left: %v", left)
	}
}

func TestWorkspaceFails(t *testing.T) {
	robotHas := func(p *pair, permission bitbucketd.Permission) error {
		return p.bb.Grant(bbRobot, bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, permission)
	}
	for name, c := range map[string]struct {
		spoil  func(p *pair) error
		event  string // why, as only the sandbox knows; empty: none
		detail string // the API's answer at creation; empty: created
	}{
		"an unknown token":    {nil, "", "OAuth token does not exist"},
		"no permission":       {func(p *pair) error { return robotHas(p, "") }, "linking repository INFRA/vpc", "isn't accessible"},
		"no admin permission": {func(p *pair) error { return robotHas(p, bitbucketd.RepoRead) }, "/webhooks", "isn't accessible"},
		"access revoked":      {func(p *pair) error { _, err := p.bb.RevokeTokens(bbRobot); return err }, "token_rejected", "isn't accessible"},
		"public key deleted":  {func(p *pair) error { return p.bb.DeleteSSHKey(p.bb.KeysOf(bbRobot)[0]) }, "logging in at", ""},
	} {
		p := newPair(t, "9.4.0", terraformd.Options{})
		_, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
		id := token.ID
		if c.spoil == nil {
			id = "ot-unknown"
		} else {
			must(t, c.spoil(p))
		}
		_, err := p.client(t, owner).Workspaces.Create(t.Context(), "acme", workspaceOptions("vpc", id))
		p.Settle()
		switch {
		case c.detail != "" && (err == nil || !strings.Contains(err.Error(), c.detail)):
			t.Errorf("%s: %v", name, err)
		case c.detail == "" && (err != nil || p.Fetches()[0].Status != "errored" || p.canClone(t) == nil):
			t.Errorf("%s: %v, %+v", name, err, p.Fetches())
		case c.detail != "" && len(p.webhookURLs(t)) != 0:
			t.Errorf("%s: a webhook was left behind", name)
		}
		if events := fmt.Sprint(p.Events()); c.event != "" && !strings.Contains(events, c.event) {
			t.Errorf("%s: events %s", name, events)
		}
	}
}

func TestWorkspaceWithoutSSHKey(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	c := p.newConnection(t, tfe.ServiceProviderBitbucketDataCenter)
	p.consent(t, c)
	p.connect(t, c, "manager", "approve")
	c, err := p.client(t, manager).OAuthClients.Read(t.Context(), c.ID)
	must(t, err)
	p.newWorkspace(t, c.OAuthTokens[0].ID)
	if f := p.Fetches()[0]; f.Status != "errored" || !strings.Contains(f.Error, "no SSH key") {
		t.Errorf("fetch %+v", f)
	}
	if err := p.canClone(t); err == nil {
		t.Error("can clone without a key")
	}
}

func TestWorkspaceMovesToAnotherToken(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	c, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	before := p.newWorkspace(t, token.ID)
	for _, link := range p.links() {
		must(t, p.bb.RemoveLink(link))
	}
	_, second := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	api := p.client(t, owner)
	after, err := api.Workspaces.Update(t.Context(), "acme", "vpc", tfe.WorkspaceUpdateOptions{
		VCSRepo: &tfe.VCSRepoOptions{OAuthTokenID: new(second.ID)},
	})
	must(t, err)
	p.Settle()
	if after.ID != before.ID || after.VCSRepo.OAuthTokenID != second.ID || after.VCSRepo.Identifier != testRepo {
		t.Errorf("after: %+v", after.VCSRepo)
	}
	if f := p.Fetches()[0]; f.Status != "uploaded" {
		t.Errorf("fetch %+v", f)
	}
	must(t, api.OAuthClients.Delete(t.Context(), c.ID))
	if f := p.Fetches()[0]; f.Repository != testRepo {
		t.Errorf("the old client took the workspace's repository with it: %+v", f)
	}
	must(t, api.OAuthTokens.Delete(t.Context(), second.ID))
	gone, err := api.Workspaces.Read(t.Context(), "acme", "vpc")
	must(t, err)
	if gone.VCSRepo != nil {
		t.Errorf("the token is deleted and the workspace still linked: %+v", gone.VCSRepo)
	}
}

// Bitbucket before 5.4: the plugin's hook has to be enabled by a person.
func TestOldBitbucket(t *testing.T) {
	p := newPair(t, "5.3.1", terraformd.Options{})
	_, token := p.connected(t, tfe.ServiceProviderBitbucketServerLegacy)
	create := func(name string) error {
		_, err := p.client(t, owner).Workspaces.Create(t.Context(), "acme", workspaceOptions(name, token.ID))
		p.Settle()
		return err
	}
	const key = "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin"
	must(t, p.bb.SetPlugin(bitbucketd.Plugin{Key: key, Name: "Web Post Hooks for Bitbucket Server", Enabled: true, Version: "1.6.0"}))
	if err := create("early"); err == nil {
		t.Error("created although the hook is not enabled")
	}
	hook := "api/1.0/projects/INFRA/repos/vpc/settings/hooks/" + key + ":postReceiveHook"
	p.rest(t, "PUT", hook+"/enabled", "", http.StatusOK)
	for n := range 6 {
		if err := create(fmt.Sprint("w", n)); (err == nil) != (n < 5) {
			t.Errorf("workspace %d: %v", n+1, err)
		}
	}
	if f := p.Fetches()[0]; f.Status != "uploaded" {
		t.Errorf("fetch %+v", f)
	}
	must(t, p.client(t, owner).Workspaces.Delete(t.Context(), "acme", "w2"))
	if left := p.rest(t, "GET", hook+"/settings", "", http.StatusOK); strings.Count(left, "/webhooks/vcs/") != 4 {
		t.Errorf("after a deletion: %s", left)
	}
}
