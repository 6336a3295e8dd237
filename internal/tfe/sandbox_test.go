package tfe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	gotfe "github.com/hashicorp/go-tfe"
	"go.uber.org/goleak"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is the sandbox's Terraform behind a front that can misbehave.
type world struct {
	server *terraformd.Server
	front  *front.Front
	url    string
}

func newWorld(t *testing.T, opts terraformd.Options, pace front.Options) world {
	t.Helper()
	if opts.RateLimit == 0 {
		opts.RateLimit = 1e6 // as announced: the tests are not about pace
	}
	s := terraformd.New(opts)
	for _, name := range []string{"owner", "manager", "member", "stranger"} {
		must(t, s.AddUser(terraformd.User{Name: name, Token: secret.New("token-" + name), SiteAdmin: name == "owner"}))
	}
	members := map[string]terraformd.Access{"owner": {Owner: true}, "manager": {ManageVCS: true}, "member": {}}
	must(t, s.AddOrganization(terraformd.Organization{Name: "acme", Members: members, Business: true}))
	must(t, s.AddOrganization(terraformd.Organization{Name: "poor", Members: members, NoVCS: true}))
	pace.TooMany, pace.Announce = terraformd.TooMany, terraformd.Announce
	w := world{server: s, front: front.New(s.Handler(), pace)}
	web := httptest.NewServer(w.front)
	w.url = web.URL
	s.SetAddress(web.URL)
	t.Cleanup(func() { web.Close(); s.Close() })
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w world) client(t *testing.T, user string) *tfe.Client {
	t.Helper()
	c, err := tfe.New(t.Context(), tfe.Config{Address: w.url, Token: secret.New("token-" + user), Patience: 3 * time.Second, Timeout: time.Second})
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

func (w world) order(t *testing.T, faults ...front.Fault) {
	t.Helper()
	w.front.ClearFaults()
	must(t, w.front.Order(faults...))
}

// bitbucket is what bbsync creates.
func bitbucket(key string) tfe.NewClient {
	return tfe.NewClient{
		Name: "Bitbucket (corp)", HTTPURL: "https://bb.corp.example/git", APIURL: "https://bb.corp.example",
		ServiceProvider: "bitbucket_data_center", Key: key, Secret: secret.New(consumer.Private.Reveal()), RSAPublicKey: consumer.Public,
		OrganizationScoped: true,
	}
}

var consumer = func() keys.Pair {
	pair, err := keys.GenerateConsumer(2048)
	if err != nil {
		panic(err)
	}
	return pair
}()

// connected makes a client that has a token already, as those of providers with a
// token of their own have.
func (w world) connected(t *testing.T) (client, token string) {
	t.Helper()
	api, err := gotfe.NewClient(&gotfe.Config{Address: w.url, Token: "token-owner", HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	must(t, err)
	made, err := api.OAuthClients.Create(t.Context(), "acme", gotfe.OAuthClientCreateOptions{
		APIURL: new("https://api.github.com"), HTTPURL: new("https://github.com"), OAuthToken: new("t"),
		ServiceProvider: new(gotfe.ServiceProviderGithub),
	})
	must(t, err)
	return made.ID, made.OAuthTokens[0].ID
}

func TestClientsLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	c := w.client(t, "manager")
	if !c.IsCloud() || c.Version() != "" || c.Address() != w.url {
		t.Errorf("have cloud %v, version %q, address %q", c.IsCloud(), c.Version(), c.Address())
	}
	made, err := c.CreateClient(t.Context(), "acme", bitbucket("key-1"))
	must(t, err)
	clientID, tokenID := w.connected(t)
	w.front.ResetCounts()
	have, err := c.Clients(t.Context(), "acme")
	must(t, err)
	if n := w.front.Counts().Total; n != 1 || len(have) != 2 {
		t.Fatalf("have %d clients after %d requests", len(have), n)
	}
	first, second := have[0], have[1]
	if first.ID != made.ID || first.Key != "key-1" || first.Name != "Bitbucket (corp)" || first.Token != nil || first.Tokens != nil ||
		first.HTTPURL != "https://bb.corp.example/git" || first.APIURL != "https://bb.corp.example" || first.Created.IsZero() ||
		first.ServiceProvider != "bitbucket_data_center" || first.OrganizationScoped == nil || !*first.OrganizationScoped ||
		!strings.HasPrefix(first.ConnectURL, w.url+"/auth/") || !strings.HasPrefix(first.CallbackURL, w.url+"/auth/") {
		t.Errorf("have %+v", first)
	}
	if a, err := keys.PublicFingerprint(first.RSAPublicKey); err != nil || a != consumer.Fingerprint {
		t.Errorf("have key %s, %v", a, err)
	}
	if second.ID != clientID || second.Name != "" || second.Token == nil || second.Token.ID != tokenID || second.Token.Created.IsZero() || second.Token.HasSSHKey {
		t.Errorf("have %+v, %+v", second, second.Token)
	}
	must(t, c.DeleteClient(t.Context(), made.ID))
	if err := c.DeleteClient(t.Context(), made.ID); !errors.Is(err, tfe.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestUpdateClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	c := w.client(t, "owner")
	api, err := gotfe.NewClient(&gotfe.Config{Address: w.url, Token: "token-owner", HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	must(t, err)
	for _, name := range []string{"one", "two", "three"} {
		_, err := api.Projects.Create(t.Context(), "acme", gotfe.ProjectCreateOptions{Name: name})
		must(t, err)
	}
	_, err = api.AgentPools.Create(t.Context(), "acme", gotfe.AgentPoolCreateOptions{Name: new("inside")})
	must(t, err)
	projects, err := c.Projects(t.Context(), "acme")
	must(t, err)
	pools, err := c.AgentPools(t.Context(), "acme")
	must(t, err)
	if len(projects) != 4 || len(pools) != 1 {
		t.Fatalf("have %v, %v", projects, pools)
	}
	want := bitbucket("key-1")
	want.OrganizationScoped, want.Projects, want.AgentPool = false, []string{projects["one"], projects["two"]}, pools["inside"]
	made, err := c.CreateClient(t.Context(), "acme", want)
	must(t, err)
	if !slices.Equal(sorted(made.Projects), sorted(want.Projects)) || made.AgentPool != want.AgentPool || *made.OrganizationScoped {
		t.Errorf("have %+v", made)
	}
	other, err := keys.GenerateConsumer(2048)
	must(t, err)
	wantProjects := []string{projects["two"], projects["three"]}
	must(t, c.UpdateClient(t.Context(), made.ID, tfe.ClientUpdate{
		Name: new(""), Key: new("key-2"), Secret: &other.Private, RSAPublicKey: &other.Public, Projects: &wantProjects, AgentPool: new(""),
	}))
	have := w.only(t, c)
	if have.Name != "" || have.Key != "key-2" || have.AgentPool != "" || !slices.Equal(sorted(have.Projects), sorted(wantProjects)) {
		t.Errorf("have %+v", have)
	}
	if a, _ := keys.PublicFingerprint(have.RSAPublicKey); a != other.Fingerprint {
		t.Error("the key is the old one")
	}
	must(t, c.UpdateClient(t.Context(), made.ID, tfe.ClientUpdate{OrganizationScoped: new(true), Projects: &[]string{}, Name: new("x")}))
	if have := w.only(t, c); have.Name != "x" || len(have.Projects) != 0 || !*have.OrganizationScoped || have.Key != "key-2" {
		t.Errorf("have %+v", have)
	}
	w.front.ResetCounts()
	must(t, c.UpdateClient(t.Context(), made.ID, tfe.ClientUpdate{}))
	if n := w.front.Counts().Total; n != 0 {
		t.Errorf("%d requests to change nothing", n)
	}
	err = c.UpdateClient(t.Context(), made.ID, tfe.ClientUpdate{Key: new("")})
	var refused *tfe.Error
	if !errors.As(err, &refused) || !errors.Is(err, tfe.ErrInvalid) || refused.Status != 422 ||
		!strings.Contains(refused.Detail, "Consumer Key") {
		t.Errorf("have %v", err)
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func (w world) only(t *testing.T, c *tfe.Client) tfe.OAuthClient {
	t.Helper()
	have, err := c.Clients(t.Context(), "acme")
	must(t, err)
	if len(have) != 1 {
		t.Fatalf("have %d clients", len(have))
	}
	return have[0]
}

// However its answer is lost, a client is made once.
func TestCreateIsDoneOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		faults []front.Fault
		err    error
		made   int
	}{
		"lost":         {[]front.Fault{{Kind: front.LoseAnswer, Method: "POST"}}, nil, 1},
		"cut":          {[]front.Fault{{Kind: front.ResetBody, Method: "POST"}}, nil, 1},
		"short":        {[]front.Fault{{Kind: front.Truncate, Method: "POST"}}, nil, 1},
		"late":         {[]front.Fault{{Kind: front.Hang, Method: "POST"}}, nil, 1},
		"failed":       {[]front.Fault{{Kind: front.Status, Status: 500, Method: "POST"}}, tfe.ErrUnavailable, 0},
		"gateway":      {[]front.Fault{{Kind: front.Status, Status: 504, Method: "POST"}}, tfe.ErrUnknownOutcome, 0},
		"refused":      {[]front.Fault{{Kind: front.Refuse, Method: "POST"}}, tfe.ErrUnknownOutcome, 0},
		"a page":       {[]front.Fault{{Kind: front.HTML, Method: "POST"}}, tfe.ErrUnknownOutcome, 0},
		"rate limited": {[]front.Fault{{Kind: front.Status, Status: 429, RetryAfter: "0.05", Method: "POST", Times: 2}}, nil, 1},
		"lost for good": {
			[]front.Fault{{Kind: front.LoseAnswer, Method: "POST"}, {Kind: front.Refuse, Method: "GET", Times: -1}},
			tfe.ErrUnknownOutcome, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, terraformd.Options{}, front.Options{})
			c := w.client(t, "owner")
			w.order(t, tt.faults...)
			have, err := c.CreateClient(t.Context(), "acme", bitbucket("key-1"))
			if !errors.Is(err, tt.err) || (err == nil) != (have.ID != "") || (err == nil) != (tt.err == nil) {
				t.Errorf("have %+v, %v", have, err)
			}
			w.front.ClearFaults()
			all, err := c.Clients(t.Context(), "acme")
			if err != nil || len(all) != tt.made {
				t.Errorf("have %d clients, %v", len(all), err)
			}
		})
	}
}

// Reads and what may be repeated survive faults; deletes that were done are done.
func TestRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	c := w.client(t, "owner")
	_, token := w.connected(t)
	faults := []front.Fault{
		{Kind: front.Status, Status: 500, Times: 2},
		{Kind: front.Status, Status: 503, RetryAfter: "later"},
		{Kind: front.HTML},
		{Kind: front.HTML, Status: 502},
		{Kind: front.Truncate},
		{Kind: front.ResetBody},
		{Kind: front.LoseAnswer},
		{Kind: front.Hang},
		{Kind: front.BadRateHeaders},
		{Kind: front.Status, Status: 429, RetryAfter: "0.01"},
	}
	ssh, err := keys.GenerateConsumer(2048) // a PEM of an RSA key is what is wanted
	must(t, err)
	for _, fault := range faults {
		w.order(t, fault)
		if have, err := c.Clients(t.Context(), "acme"); err != nil || len(have) != 1 {
			t.Errorf("list, %v: have %d, %v", fault, len(have), err)
		}
		w.order(t, fault)
		if err := c.SetSSHKey(t.Context(), token, ssh.Private); err != nil {
			t.Errorf("set the SSH key, %v: %v", fault, err)
		}
		made, err := c.CreateClient(t.Context(), "acme", bitbucket(fmt.Sprint(fault)))
		must(t, err)
		w.order(t, fault)
		if err := c.UpdateClient(t.Context(), made.ID, tfe.ClientUpdate{Name: new("n"), Projects: &[]string{}}); err != nil {
			t.Errorf("update, %v: %v", fault, err)
		}
		w.order(t, fault)
		if err := c.DeleteClient(t.Context(), made.ID); err != nil {
			t.Errorf("delete, %v: %v", fault, err)
		}
	}
	w.front.ClearFaults()
	if have := w.only(t, c); !have.Token.HasSSHKey {
		t.Error("no SSH key")
	}
	w.order(t, front.Fault{Kind: front.Status, Status: 500, Times: -1})
	if _, err := c.Clients(t.Context(), "acme"); !errors.Is(err, tfe.ErrUnavailable) {
		t.Errorf("have %v", err)
	}
	w.front.ClearFaults()
	must(t, c.DeleteToken(t.Context(), token))
	if _, err := c.Token(t.Context(), token); !errors.Is(err, tfe.ErrNotFound) {
		t.Errorf("have %v", err)
	}
}

func TestBadSSHKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	_, token := w.connected(t)
	err := w.client(t, "owner").SetSSHKey(t.Context(), token, secret.New("s3cret"))
	if !errors.Is(err, tfe.ErrInvalid) || !strings.Contains(err.Error(), "Ssh key is invalid") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("have %v", err)
	}
}

func TestExplain404(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	for _, tt := range []struct {
		user, organization string
		want               error
	}{
		{"member", "acme", tfe.ErrForbidden},
		{"stranger", "acme", tfe.ErrNotFound},
		{"manager", "nope", tfe.ErrNotFound},
		{"manager", "poor", tfe.ErrNotEntitled},
		{"wrong", "acme", tfe.ErrUnauthorized},
	} {
		c := w.client(t, tt.user)
		_, err := c.CreateClient(t.Context(), tt.organization, bitbucket("key"))
		if errors.Is(err, tfe.ErrNotFound) {
			err = c.Explain404(t.Context(), tt.organization)
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s in %s: have %v", tt.user, tt.organization, err)
		}
	}
	have, err := w.client(t, "manager").Organization(t.Context(), "acme")
	if err != nil || have.Name != "acme" || !have.CanUpdateOAuth || !have.VCSIntegrations || !have.PrivateVCS {
		t.Errorf("have %+v, %v", have, err)
	}
	if _, err := w.client(t, "manager").Clients(t.Context(), "../admin"); err == nil {
		t.Error("an organization with a path in it")
	}
}

// TestCreateClientRefused: who may not make an OAuth client is told which
// permission is missing, whose, and where it is given; whatever the answer was.
func TestCreateClientRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	const remedy = "but not manage its VCS settings: in the organization's Settings, Teams, give the team of that token \"Manage VCS Settings\""
	for _, tt := range []struct {
		user, organization string
		fault              front.Fault
		want               error
		says               []string
	}{
		{"member", "acme", front.Fault{}, tfe.ErrForbidden, []string{"creating an OAuth client in organization acme", "status 404", "bbsync's token for 127.0.0.1", remedy}},
		{"manager", "acme", front.Fault{Kind: front.Status, Status: 403, Body: "{}", Method: "POST"}, tfe.ErrForbidden, []string{"creating an OAuth client", "status 403", remedy}},
		{"stranger", "acme", front.Fault{}, tfe.ErrNotFound, []string{"there is no such organization, or this token does not see it"}},
		{"manager", "poor", front.Fault{}, tfe.ErrNotEntitled, []string{"has no VCS integrations"}},
	} {
		w.front.ClearFaults()
		if tt.fault.Kind != "" {
			w.order(t, tt.fault)
		}
		_, err := w.client(t, tt.user).CreateClient(t.Context(), tt.organization, bitbucket("key"))
		if !errors.Is(err, tt.want) {
			t.Errorf("%s in %s: have %v", tt.user, tt.organization, err)
			continue
		}
		for _, part := range tt.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s in %s: have %v, want %q", tt.user, tt.organization, err, part)
			}
		}
	}
}

func TestAffectedWorkspaces(t *testing.T) {
	t.Parallel()
	for _, missing := range []bool{false, true} {
		w := newWorld(t, terraformd.Options{Missing: terraformd.Missing{AffectedWorkspaces: missing}}, front.Options{})
		client, _ := w.connected(t)
		have, err := w.client(t, "owner").Affected(t.Context(), "acme", client)
		if err != nil || have.Workspaces != 0 || len(have.Names) != 0 || have.Exact == missing {
			t.Errorf("missing %v: have %+v, %v", missing, have, err)
		}
		if _, err := w.client(t, "owner").Affected(t.Context(), "acme", "oc-none"); !errors.Is(err, tfe.ErrNotFound) {
			t.Errorf("have %v", err)
		}
	}
}

func TestManyPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{})
	for i := range 250 {
		must(t, w.server.AddOrganization(terraformd.Organization{Name: fmt.Sprint("org-", i), Members: map[string]terraformd.Access{"owner": {Owner: true}}}))
	}
	c := w.client(t, "owner")
	have, err := c.Organizations(t.Context())
	if err != nil || len(have) != 252 || !slices.IsSorted(have) {
		t.Errorf("have %d, %v", len(have), err)
	}
	for nth := 2; nth < 4; nth++ { // of three pages
		w.order(t, front.Fault{Kind: front.Repeat, Nth: nth})
		if have, err := c.Organizations(t.Context()); err == nil {
			t.Errorf("page %d was the one before: have %d", nth, len(have))
		}
	}
}

// The limit comes from the server's headers, and refusals are waited out.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, terraformd.Options{}, front.Options{Rate: front.Rate{PerSecond: 200, Burst: 5}})
	l := limit.New(limit.Options{})
	c, err := tfe.New(t.Context(), tfe.Config{Address: w.url, Token: secret.New("token-owner"), Limiter: l})
	must(t, err)
	t.Cleanup(c.Close)
	if have := l.Figures().Rate.PerSecond; have == 0 {
		t.Error("the limit was not learned from the ping")
	}
	for range 30 {
		if _, err := c.Clients(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
	}
	w.order(t, front.Fault{Kind: front.Status, Status: 429, Times: -1, RetryAfter: "3600"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Clients(ctx, "acme"); err == nil {
		t.Error("answered")
	}
}
