package terraformd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	tfe "github.com/hashicorp/go-tfe"
	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

func TestCreateRefuses(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	const urls = `"http-url":"https://bb.example.com","api-url":"https://bb.example.com"`
	for name, c := range map[string]struct{ attributes, detail string }{
		"no provider":       {urls, "can't be blank"},
		"unknown provider":  {`"service-provider":"bitbucket",` + urls, "not included"},
		"no http url":       {`"service-provider":"bitbucket_data_center","api-url":"https://x"`, "Http url can't be blank"},
		"no api url":        {`"service-provider":"bitbucket_data_center","http-url":"https://x"`, "Api url can't be blank"},
		"relative url":      {`"service-provider":"bitbucket_data_center","http-url":"bb/x","api-url":"https://x"`, "Http url is invalid"},
		"unknown attribute": {`"service-provider":"bitbucket_data_center","colour":"red",` + urls, "colour is not an attribute"},
		"mistyped":          {`"service-provider":"bitbucket_data_center","name":7,` + urls, "name has the wrong type"},
		"private key":       {`"service-provider":"bitbucket_data_center","private-key":"x",` + urls, "Azure DevOps Server"},
		"token string":      {`"service-provider":"bitbucket_data_center","oauth-token-string":"x",` + urls, "not supported for Bitbucket Data Center"},
		"secret alone":      {`"service-provider":"bitbucket_data_center","key":"k","secret":"x",` + urls, "RSA public key is required"},
		"github, no token":  {`"service-provider":"github",` + urls, "Oauth token string can't be blank"},
		"not enterprise":    {`"service-provider":"github_enterprise","oauth-token-string":"x","http-url":"https://github.com","api-url":"https://x"`, "github.com"},
	} {
		body := `{"data":{"type":"oauth-clients","attributes":{` + c.attributes + `}}}`
		have := w.do(t, owner, "POST", "/api/v2/organizations/acme/oauth-clients", body)
		if have.status != http.StatusUnprocessableEntity || !strings.Contains(have.detail(), c.detail) {
			t.Errorf("%s: %d %s", name, have.status, have.body)
		}
	}
	for name, body := range map[string]string{"no JSON": "{", "an array": "[]"} {
		if have := w.do(t, owner, "POST", "/api/v2/organizations/acme/oauth-clients", body); have.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, have.status, have.body)
		}
	}
	if len(w.Connections()) != 0 {
		t.Error("a refused client was kept")
	}
}

func TestCreatedClient(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	c := w.client(t, manager)
	made, err := c.OAuthClients.Create(t.Context(), "acme", tfe.OAuthClientCreateOptions{
		Name: new("corp"), APIURL: new("https://bb.example.com:8443"), HTTPURL: new("https://bb.example.com:8443/git"),
		ServiceProvider: tfe.ServiceProvider(tfe.ServiceProviderBitbucketDataCenter),
		Key:             new("key"), Secret: new("private"), RSAPublicKey: new("\npublic\n"),
	})
	must(t, err)
	have, err := c.OAuthClients.Read(t.Context(), made.ID)
	must(t, err)
	if have.Key != "key" || have.RSAPublicKey != "\npublic\n" || have.Secret != "" || *have.Name != "corp" || !*have.OrganizationScoped {
		t.Errorf("read back: %+v", have)
	}
	if have.HTTPURL != "https://bb.example.com:8443/git" || have.APIURL != "https://bb.example.com:8443" || len(have.OAuthTokens) != 0 {
		t.Errorf("read back: %+v", have)
	}
	if !strings.HasPrefix(have.CallbackURL, w.url+"/auth/") || !strings.HasSuffix(have.CallbackURL, "/callback") {
		t.Errorf("callback-url %q", have.CallbackURL)
	}
	uuid := strings.TrimSuffix(strings.TrimPrefix(have.CallbackURL, w.url+"/auth/"), "/callback")
	if have.ConnectPath != "/auth/"+uuid+"?organization_id=1" {
		t.Errorf("connect-path %q", have.ConnectPath)
	}
	raw := w.do(t, owner, "GET", "/api/v2/oauth-clients/"+made.ID, "")
	if !strings.Contains(raw.body, `"secret":null`) || strings.Contains(raw.body, "private") || strings.Contains(raw.body, "affected") {
		t.Errorf("the answer tells too much: %s", raw.body)
	}
}

func TestGeneratedKeys(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	id := w.newClient(t, `"key":"","secret":"","rsa-public-key":""`) // as the tfe provider sends them
	have, err := w.client(t, owner).OAuthClients.Read(t.Context(), id)
	must(t, err)
	if _, err := keys.PublicFingerprint(have.RSAPublicKey); err != nil || have.Key == "" {
		t.Errorf("key %q, public key %q: %v", have.Key, have.RSAPublicKey, err)
	}
	none := newWorld(t, terraformd.Options{Choices: terraformd.Choices{NoKeyGeneration: true}})
	have, err = none.client(t, owner).OAuthClients.Read(t.Context(), none.newClient(t, ""))
	must(t, err)
	if have.Key != "" || have.RSAPublicKey != "" {
		t.Errorf("keys nobody asked for: %+v", have)
	}
}

func TestUpdateClient(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	id := w.newClient(t, `"name":"a","key":"k"`)
	for name, c := range map[string]struct {
		attributes string
		status     int
		want       string
	}{
		"rename":            {`"name":"b"`, 200, `"name":"b"`},
		"no name":           {`"name":null`, 200, `"name":null`},
		"new key":           {`"key":"k2"`, 200, `"key":"k2"`},
		"same url":          {`"http-url":"https://bb.example.com"`, 200, `"http-url":"https://bb.example.com"`},
		"blank token":       {`"oauth-token-string":""`, 200, `"id"`},
		"scope":             {`"organization-scoped":false`, 200, `"organization-scoped":false`},
		"blank key":         {`"key":""`, 422, "The Consumer Key for Bitbucket Data Center must be present. Please add a value for `key`."},
		"other url":         {`"http-url":"https://elsewhere.example.com"`, 422, "cannot be changed"},
		"other api url":     {`"api-url":"https://elsewhere.example.com"`, 422, "cannot be changed"},
		"other provider":    {`"service-provider":"bitbucket_server"`, 422, "cannot be changed"},
		"unknown attribute": {`"uid":"x"`, 422, "uid is not an attribute"},
	} {
		have := w.do(t, owner, "PATCH", "/api/v2/oauth-clients/"+id, `{"data":{"type":"oauth-clients","attributes":{`+c.attributes+`}}}`)
		if have.status != c.status || !strings.Contains(have.body, c.want) {
			t.Errorf("%s: %d %s", name, have.status, have.body)
		}
	}
}

func TestAgentPools(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	must(t, w.AddOrganization(terraformd.Organization{Name: "private", Business: true, Members: map[string]terraformd.Access{"owner": {Owner: true}}}))
	c := w.client(t, owner)
	create := func(org, poolOf string) (*tfe.OAuthClient, error) {
		pool, err := c.AgentPools.Create(t.Context(), poolOf, tfe.AgentPoolCreateOptions{Name: new("pool-" + org + "-" + poolOf)})
		must(t, err)
		return c.OAuthClients.Create(t.Context(), org, tfe.OAuthClientCreateOptions{
			APIURL: new("https://x"), HTTPURL: new("https://x"), AgentPool: pool,
			ServiceProvider: tfe.ServiceProvider(tfe.ServiceProviderBitbucketDataCenter),
		})
	}
	if _, err := create("acme", "private"); err == nil || !strings.Contains(err.Error(), "the provided agent pool does not exist") {
		t.Errorf("a pool of another organization: %v", err)
	}
	if _, err := create("acme", "acme"); err == nil || !strings.Contains(err.Error(), "does not have private VCS enabled") {
		t.Errorf("a plan without private VCS: %v", err)
	}
	made, err := create("private", "private")
	must(t, err)
	if made.AgentPool == nil {
		t.Fatal("no agent pool")
	}
	if err := c.AgentPools.Delete(t.Context(), made.AgentPool.ID); err == nil {
		t.Error("a pool in use was deleted")
	}
	detached := w.do(t, owner, "PATCH", "/api/v2/oauth-clients/"+made.ID,
		`{"data":{"type":"oauth-clients","attributes":{},"relationships":{"agent-pool":{"data":null}}}}`)
	if !strings.Contains(detached.body, `"agent-pool":{"data":null}`) {
		t.Errorf("detaching the pool: %d %s", detached.status, detached.body)
	}
}

func TestProjectsOfAClient(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	c := w.client(t, owner)
	project, err := c.Projects.Create(t.Context(), "acme", tfe.ProjectCreateOptions{Name: "network"})
	must(t, err)
	foreign, err := w.client(t, stranger).Projects.Create(t.Context(), "other", tfe.ProjectCreateOptions{Name: "network"})
	must(t, err)
	id := w.newClient(t, `"organization-scoped":false`)
	must(t, c.OAuthClients.AddProjects(t.Context(), id, tfe.OAuthClientAddProjectsOptions{Projects: []*tfe.Project{project}}))
	if c.OAuthClients.AddProjects(t.Context(), id, tfe.OAuthClientAddProjectsOptions{Projects: []*tfe.Project{foreign}}) == nil {
		t.Error("a project of another organization was attached")
	}
	have, err := c.OAuthClients.ReadWithOptions(t.Context(), id, &tfe.OAuthClientReadOptions{Include: []tfe.OAuthClientIncludeOpt{tfe.OauthClientProjects}})
	must(t, err)
	if len(have.Projects) != 1 || have.Projects[0].Name != "network" {
		t.Errorf("projects %+v", have.Projects)
	}
	cleared := w.do(t, owner, "PATCH", "/api/v2/oauth-clients/"+id,
		`{"data":{"type":"oauth-clients","attributes":{},"relationships":{"projects":{"data":[]}}}}`)
	if !strings.Contains(cleared.body, `"projects":{"data":[]}`) {
		t.Errorf("clearing the projects: %d %s", cleared.status, cleared.body)
	}
}

const newToken = `"service-provider":"github","http-url":"https://github.com","api-url":"https://api.github.com","oauth-token-string":"x"`

// newToken creates a client of the kind that has a token at once.
func (w *world) newToken(t *testing.T) string {
	t.Helper()
	a := w.do(t, owner, "POST", "/api/v2/oauth-clients", `{"data":{"type":"oauth-clients","attributes":{"organization-id":"acme",`+newToken+`}}}`)
	if a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	c, err := w.client(t, owner).OAuthClients.Read(t.Context(), a.data(t)["id"].(string))
	must(t, err)
	return c.OAuthTokens[0].ID
}

// protectedKey is a private key behind a passphrase.
func protectedKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("passphrase"))
	must(t, err)
	return string(pem.EncodeToMemory(block))
}

func TestSSHKeys(t *testing.T) {
	pair, err := keys.GenerateSSH(2048, "")
	must(t, err)
	for name, c := range map[string]struct {
		key    string
		status int
		has    string
	}{
		"a key":        {fmt.Sprintf("%q", pair.Private.Reveal()), 200, `"has-ssh-key":true`},
		"no key":       {`"garbage"`, 422, "Ssh key is invalid"},
		"empty":        {`""`, 422, "Ssh key is invalid"},
		"a passphrase": {fmt.Sprintf("%q", protectedKey(t)), 422, "Ssh key is invalid"},
		"null":         {`null`, 200, `"has-ssh-key":false`},
	} {
		w := newWorld(t, terraformd.Options{})
		id := w.newToken(t)
		have := w.do(t, owner, "PATCH", "/api/v2/oauth-tokens/"+id, `{"data":{"type":"oauth-tokens","attributes":{"ssh-key":`+c.key+`}}}`)
		if have.status != c.status || !strings.Contains(have.body, c.has) || strings.Contains(have.body, "PRIVATE") || strings.Contains(have.body, "uid") {
			t.Errorf("%s: %d %s", name, have.status, have.body)
		}
	}
	tolerant := newWorld(t, terraformd.Options{Choices: terraformd.Choices{AcceptEncryptedSSHKey: true}})
	_, err = tolerant.client(t, owner).OAuthTokens.Update(t.Context(), tolerant.newToken(t), tfe.OAuthTokenUpdateOptions{PrivateSSHKey: new(protectedKey(t))})
	must(t, err)
}

func TestDeletingTokensIsLimited(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := newWorld(t, terraformd.Options{Now: func() time.Time { return now }})
	var ids []string
	for range 11 {
		ids = append(ids, w.newToken(t))
	}
	for i, id := range ids {
		have := w.do(t, owner, "DELETE", "/api/v2/oauth-tokens/"+id, "")
		switch {
		case i < 10 && have.status != http.StatusNoContent:
			t.Errorf("deletion %d: %d %s", i+1, have.status, have.body)
		case i == 10 && (have.status != http.StatusTooManyRequests || have.header.Get("X-RateLimit-Reset") != "60.000"):
			t.Errorf("deletion 11: %d, reset %q", have.status, have.header.Get("X-RateLimit-Reset"))
		}
	}
	now = now.Add(time.Minute)
	if have := w.do(t, owner, "DELETE", "/api/v2/oauth-tokens/"+ids[10], ""); have.status != http.StatusNoContent {
		t.Errorf("a minute later: %d", have.status)
	}
}

func TestStateIsKept(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	id, token := w.newClient(t, `"name":"kept"`), w.newToken(t)
	pair, err := keys.GenerateSSH(2048, "")
	must(t, err)
	_, err = w.client(t, owner).OAuthTokens.Update(t.Context(), token, tfe.OAuthTokenUpdateOptions{PrivateSSHKey: new(pair.Private.Reveal())})
	must(t, err)
	folder := t.TempDir()
	must(t, w.Save(folder))
	again := newWorld(t, terraformd.Options{})
	if err := again.Load(t.TempDir()); err == nil {
		t.Error("an empty folder was loaded")
	}
	must(t, again.Load(folder))
	have, err := again.client(t, orgToken).OAuthClients.Read(t.Context(), id)
	must(t, err)
	if *have.Name != "kept" {
		t.Errorf("read %+v", have)
	}
	before, after := w.Connections(), again.Connections()
	if len(after) != 2 || after[0].Consumer != before[0].Consumer || after[1].SSHKey != pair.Fingerprint {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
