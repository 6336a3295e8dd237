package terraformd_test

import (
	"net/http"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

func TestConnect(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	c, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	have, err := p.client(t, manager).OAuthTokens.Read(t.Context(), token.ID)
	must(t, err)
	if have.ServiceProviderUser != bbRobot || !have.HasSSHKey || have.UID != "" {
		t.Errorf("token %+v", have)
	}
	repos := p.do(t, manager, "GET", "/api/v2/oauth-tokens/"+token.ID+"/authorized-repos", "")
	if !strings.Contains(repos.body, `"name":"INFRA/vpc"`) {
		t.Errorf("authorized-repos: %d %s", repos.status, repos.body)
	}
	for identifier, want := range map[string]string{testRepo: `"exists":true`, "INFRA/nothing": `"exists":false`} {
		check := p.do(t, manager, "GET", "/api/v2/organizations/acme/vcs/repo?identifier="+identifier+"&oauth_token_id="+token.ID, "")
		if !strings.Contains(check.body, want) {
			t.Errorf("vcs/repo of %s: %d %s", identifier, check.status, check.body)
		}
	}
	if err := p.canClone(t); err != nil {
		t.Errorf("cannot clone: %v", err)
	}
	if inside := p.Connections()[0]; inside.Client != c.ID || !strings.HasPrefix(inside.SSHKey, "SHA256:") || inside.User != bbRobot {
		t.Errorf("connections: %+v", inside)
	}
}

func TestConnectPages(t *testing.T) {
	p := newPair(t, "8.19.12", terraformd.Options{})
	c := p.newConnection(t, tfe.ServiceProviderBitbucketDataCenter)
	p.consent(t, c)
	b := newBrowser(t)
	at := b.open(t, p.url+"/app/acme/settings/version-control")
	if at.at.Path != "/session" {
		t.Fatalf("without a session: %s", at.at)
	}
	if wrong := b.submit(t, at, map[string]string{"user[login]": "manager", "user[password]": "guess"}); wrong.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong password: %d", wrong.status)
	}
	at = b.submit(t, at, map[string]string{"user[login]": "manager@example.com", "user[password]": "pw-manager"})
	if !strings.Contains(at.html, "Connect organization acme") || !strings.Contains(at.html, "not connected") {
		t.Fatalf("settings page at %s: %s", at.at, at.html)
	}
	if missing := b.open(t, p.url+"/app/other/settings/version-control"); missing.status != http.StatusNotFound {
		t.Errorf("another organization's page: %d", missing.status)
	}
	if wrong := b.open(t, p.url+strings.ReplaceAll(c.ConnectPath, "organization_id=1", "organization_id=2")); wrong.status != http.StatusNotFound {
		t.Errorf("another organization's number: %d", wrong.status)
	}
	if at := p.connect(t, c, "member", "approve"); at.status != http.StatusNotFound {
		t.Errorf("a member who may not manage VCS settings: %d", at.status)
	}
	if at := p.connect(t, c, "manager", "deny"); !strings.Contains(at.html, "denied") || strings.Contains(at.html, "connected as") {
		t.Errorf("after Deny: %s", at.html)
	}
	if at := p.connect(t, c, "manager", "approve"); !strings.Contains(at.html, "connected as <strong>"+bbRobot) {
		t.Errorf("after Allow: %s", at.html)
	}
}

// What the documentation's 500 page stands for, each with the reason that only the
// sandbox knows.
func TestConnectFails(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	other, err := keys.GenerateConsumer(2048)
	must(t, err)
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, c *tfe.OAuthClient)
		reason string
	}{
		"no link": {func(*testing.T, *tfe.OAuthClient) {}, "consumer_key_unknown"},
		"another private key": {func(t *testing.T, c *tfe.OAuthClient) {
			p.consent(t, c)
			_, err := p.client(t, manager).OAuthClients.Update(t.Context(), c.ID, tfe.OAuthClientUpdateOptions{
				Secret: new(other.Private.Reveal()), RSAPublicKey: new(other.Public),
			})
			must(t, err)
		}, "signature_invalid"},
		"a secret that is no key": {func(t *testing.T, c *tfe.OAuthClient) {
			_, err := p.client(t, manager).OAuthClients.Update(t.Context(), c.ID, tfe.OAuthClientUpdateOptions{Secret: new("garbage")})
			must(t, err)
		}, "not PEM"},
	} {
		made := p.newConnection(t, tfe.ServiceProviderBitbucketDataCenter)
		before := len(p.Events())
		c.spoil(t, made)
		at := p.connect(t, made, "manager", "approve")
		if at.status != http.StatusInternalServerError || !strings.Contains(at.html, "unable to reach your Bitbucket Server instance") {
			t.Errorf("%s: %d %s", name, at.status, at.html)
		}
		events := p.Events()[before:]
		if len(events) != 1 || !strings.Contains(events[0].Message, c.reason) {
			t.Errorf("%s: %+v", name, events)
		}
		listed := p.do(t, manager, "GET", "/api/v2/organizations/acme/vcs-events?filter[oauth_client_external_ids]="+made.ID+"&include=oauth_client", "")
		if !strings.Contains(listed.body, c.reason) || !strings.Contains(listed.body, `"type":"oauth-clients"`) {
			t.Errorf("%s: vcs-events %s", name, listed.body)
		}
		for _, link := range p.links() {
			must(t, p.bb.RemoveLink(link))
		}
	}
}

// The API URL is documented as being without the context path. With it the
// dance succeeds, and the first call of the API does not.
func TestConnectWithContextPathInAPIURL(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{})
	c := p.newConnectionAt(t, tfe.ServiceProviderBitbucketDataCenter, p.base)
	p.consent(t, c)
	if at := p.connect(t, c, "manager", "approve"); at.status != http.StatusInternalServerError {
		t.Errorf("%d %s", at.status, at.html)
	}
	if events := p.Events(); len(events) != 1 || !strings.Contains(events[0].Message, "404") {
		t.Errorf("events %+v", events)
	}
}

func (p *pair) links() (ids []string) {
	p.bb.Inspect(func(st *bitbucketd.State) {
		for _, l := range st.Links {
			ids = append(ids, l.ID)
		}
	})
	return ids
}

func TestReconnect(t *testing.T) {
	for name, keeps := range map[string]bool{"replaces the token": false, "keeps the token": true} {
		p := newPair(t, "9.4.0", terraformd.Options{Choices: terraformd.Choices{KeepTokenOnReconnect: keeps}})
		c, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
		p.newWorkspace(t, token.ID)
		p.connect(t, c, "manager", "approve")
		c, err := p.client(t, manager).OAuthClients.Read(t.Context(), c.ID)
		must(t, err)
		fresh, err := p.client(t, manager).OAuthTokens.Read(t.Context(), c.OAuthTokens[0].ID)
		must(t, err)
		linked := len(p.Fetches()) == 1 && p.Fetches()[0].Repository == testRepo
		if same := fresh.ID == token.ID; same != keeps || fresh.HasSSHKey != keeps || linked != keeps {
			t.Errorf("%s: same id %v, SSH key %v, workspace linked %v", name, same, fresh.HasSSHKey, linked)
		}
	}
}

func TestOlderServerHasNoProbes(t *testing.T) {
	p := newPair(t, "9.4.0", terraformd.Options{Version: "v202311-1", Missing: terraformd.Missing{
		AffectedWorkspaces: true, AuthorizedRepos: true, RepositoryCheck: true, Events: true,
	}})
	c, token := p.connected(t, tfe.ServiceProviderBitbucketDataCenter)
	for _, path := range []string{
		"/api/v2/oauth-tokens/" + token.ID + "/authorized-repos", "/api/v2/organizations/acme/vcs-events",
		"/api/v2/organizations/acme/vcs/repo?identifier=INFRA/vpc&oauth_token_id=" + token.ID,
	} {
		if have := p.do(t, owner, "GET", path, ""); have.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, have.status)
		}
	}
	if have := p.do(t, owner, "GET", "/api/v2/oauth-clients/"+c.ID+"?show_affected_workspaces=true", ""); strings.Contains(have.body, "affected") {
		t.Errorf("affected workspaces: %s", have.body)
	}
}
