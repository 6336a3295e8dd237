package tfe_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	gotfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// shelf makes what uses a client's token, on a Bitbucket that has every repository.
type shelf struct {
	world
	bitbucket string
	api       *gotfe.Client
}

func newShelf(t *testing.T, missing terraformd.Missing) shelf {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		fmt.Fprint(w, `{"id":1,"slug":"vpc","project":{"key":"INFRA"}}`)
	}))
	t.Cleanup(web.Close)
	s := shelf{world: newWorld(t, terraformd.Options{Missing: missing, HTTPClient: web.Client()}, front.Options{}), bitbucket: web.URL}
	var err error
	s.api, err = gotfe.NewClient(&gotfe.Config{Address: s.url, Token: "token-owner", HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	must(t, err)
	return s
}

func (s shelf) connect(t *testing.T, key string) (client, token string) {
	t.Helper()
	client, token, err := s.server.AddConnected(terraformd.Connected{
		Organization: "acme", Provider: "bitbucket_data_center", HTTPURL: s.bitbucket, APIURL: s.bitbucket,
		Key: key, Secret: secret.New(consumer.Private.Reveal()), RSAPublicKey: consumer.Public, Access: secret.New("access"),
	})
	must(t, err)
	return client, token
}

// policySet makes one, on no repository when token is "".
func (s shelf) policySet(t *testing.T, name, token string) {
	t.Helper()
	options := gotfe.PolicySetCreateOptions{Name: &name}
	if token != "" {
		options.VCSRepo = &gotfe.VCSRepoOptions{Identifier: new("INFRA/policies"), OAuthTokenID: &token}
	}
	_, err := s.api.PolicySets.Create(t.Context(), "acme", options)
	must(t, err)
}

func (s shelf) module(t *testing.T, repository, token string) {
	t.Helper()
	_, err := s.api.RegistryModules.CreateWithVCSConnection(t.Context(), gotfe.RegistryModuleCreateWithVCSConnectionOptions{
		VCSRepo: &gotfe.RegistryModuleVCSRepoOptions{Identifier: &repository, DisplayIdentifier: &repository, OAuthTokenID: &token},
	})
	must(t, err)
}

// What uses a client's token is named, on whichever page it is; what uses another
// client's, or none, is not.
func TestAffectedOthers(t *testing.T) {
	t.Parallel()
	s := newShelf(t, terraformd.Missing{})
	client, token := s.connect(t, "one")
	other, otherToken := s.connect(t, "two")
	idle, err := s.client(t, "owner").CreateClient(t.Context(), "acme", bitbucket("idle"))
	must(t, err)
	for i := range 100 {
		s.policySet(t, fmt.Sprint("bare-", i), "")
	}
	s.policySet(t, "theirs", otherToken)
	s.policySet(t, "zeta", token)
	s.policySet(t, "alpha", token)
	s.module(t, "INFRA/terraform-aws-vpc", token)
	s.module(t, "INFRA/terraform-google-vpc", otherToken)
	for id, want := range map[string]struct {
		others   []string
		requests int
	}{
		client:  {[]string{`policy set "alpha"`, `policy set "zeta"`, `registry module "vpc/aws"`}, 5},
		other:   {[]string{`policy set "theirs"`, `registry module "vpc/google"`}, 5},
		idle.ID: {nil, 1}, // nobody can use what nobody has authorized
	} {
		c := s.client(t, "owner")
		s.front.ResetCounts()
		have, err := c.Affected(t.Context(), "acme", id)
		must(t, err)
		if diff := cmp.Diff(tfe.Affected{Names: []string{}, Exact: true, Others: want.others}, have); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if n := s.front.Counts().Total; n != want.requests {
			t.Errorf("%d requests, want %d", n, want.requests)
		}
	}
}

// A 404 is not "none": the release, the plan of the organization or the token's
// permission may lack the kind.
func TestAffectedUntold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		missing terraformd.Missing
		user    string
		want    []string
	}{
		"all told":            {terraformd.Missing{}, "owner", nil},
		"no policy sets":      {terraformd.Missing{PolicySets: true}, "owner", []string{"policy sets"}},
		"no registry modules": {terraformd.Missing{RegistryModules: true}, "owner", []string{"registry modules"}},
		"no stacks":           {terraformd.Missing{Stacks: true}, "owner", []string{"stacks"}},
		"manages VCS only":    {terraformd.Missing{}, "manager", []string{"policy sets"}},
		"an old release": {
			terraformd.Missing{PolicySets: true, RegistryModules: true, Stacks: true}, "owner", []string{"policy sets", "registry modules", "stacks"},
		},
	} {
		s := newShelf(t, tt.missing)
		client, _ := s.connect(t, "one")
		have, err := s.client(t, tt.user).Affected(t.Context(), "acme", client)
		if diff := cmp.Diff(tt.want, have.Untold); err != nil || diff != "" || len(have.Others) != 0 {
			t.Errorf("%s: %v, others %v (-want +got):\n%s", name, err, have.Others, diff)
		}
	}
}

// Stacks are told from what go-tfe knows of their list; another failure than 404 is
// an error, as nothing is known then.
func TestAffectedStacks(t *testing.T) {
	t.Parallel()
	const client = `{"data":{"id":"oc-1","type":"oauth-clients","attributes":{"affected-workspaces":["w"],"affected-workspaces-count":1},
		"relationships":{"oauth-tokens":{"data":[{"id":"ot-1","type":"oauth-tokens"}]}}}}`
	answers := script{
		"GET oauth-clients/oc-1":                  answer(200, client),
		"GET organizations/acme/policy-sets":      answer(200, `{"data":[{"id":"polset-1","attributes":{"name":"p\u001b[2J","vcs-repo":{"oauth-token-id":"ot-1"}}}]}`),
		"GET organizations/acme/registry-modules": answer(200, `{"data":[{"id":"mod-1","attributes":{"name":"m","provider":"aws","vcs-repo":null}}]}`),
		"GET organizations/acme/stacks":           answer(200, `{"data":[{"id":"st-1","attributes":{"name":"s","vcs-repo":{"identifier":"A/b","oauth-token-id":"ot-1"}}}]}`),
		"GET organizations/none/policy-sets":      answer(403, ""),
		"GET organizations/malformed/policy-sets": answer(200, `{"data":[{"id":"polset-1","attributes":{"name":5}}]}`),
	}
	c, err := open(t, answers)
	must(t, err)
	have, err := c.Affected(t.Context(), "acme", "oc-1")
	must(t, err)
	want := tfe.Affected{Workspaces: 1, Names: []string{"w"}, Exact: true, Others: []string{`policy set "p\x1b[2J"`, `stack "s"`}}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, organization := range []string{"none", "malformed"} {
		if have, err := c.Affected(t.Context(), organization, "oc-1"); err == nil {
			t.Errorf("%s: have %+v", organization, have)
		}
	}
}
