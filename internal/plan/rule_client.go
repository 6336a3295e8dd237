package plan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// secondClientRule ends clients that a lost answer left: bbsync made them with the
// record's pair, and nobody has authorized them.
func secondClientRule(v view) *Change {
	for _, c := range v.secondClients() {
		if c.Token == nil && v.madeHere(c) {
			stays := v.Client().ID
			return step(DeleteClient{ID: c.ID, Name: c.Name, Why: "a second client with the same consumer key, which nobody has authorized"},
				v.reason("duplicate_client", "OAuth clients with this consumer key", c.ID+" and "+stays, stays, ""))
		}
	}
	return nil
}

// clientRule plans Terraform's side: the OAuth client is made once and then
// changed in place, never replaced, as replacing it unlinks every workspace. Terraform
// is told of a pair only after Bitbucket was seen to accept it.
func clientRule(v view) *Change {
	have := v.client()
	if have == nil {
		if v.since.pair != proven {
			return step(ProveConsumer{})
		}
		return v.createClient()
	}
	update, because := v.clientUpdate(have)
	switch {
	case len(because) == 0:
		return nil
	case update.Keys && v.since.pair != proven:
		return step(ProveConsumer{})
	}
	return step(update, because...)
}

func (v view) createClient() *Change {
	return step(CreateClient{
		Name: v.want.Name, HTTPURL: v.want.Bitbucket.URL, APIURL: APIURL(v.want.Bitbucket.URL), ServiceProvider: ServiceProvider(v.want, v.Bitbucket.Version),
		Scoped: v.want.OrganizationScoped, Projects: sorted(v.want.Projects), AgentPool: v.want.AgentPool,
	}, v.reason("client", "OAuth client in "+v.want.Organization, "", v.want.Name, "name"))
}

// clientUpdate returns what differs and can be changed.
func (v view) clientUpdate(have *Client) (UpdateClient, []Reason) {
	want := v.want
	s := UpdateClient{ID: have.ID}
	var because []Reason
	if have.Name != want.Name {
		s.Name = &want.Name
		because = append(because, v.reason("client_name", "OAuth client's name", have.Name, want.Name, "name"))
	}
	if keys := v.clientKeyReasons(have); len(keys) > 0 {
		s.Keys = true
		because = append(because, keys...)
	}
	if have.Scoped != want.OrganizationScoped {
		s.Scoped = &want.OrganizationScoped
		because = append(because, v.reason("client_scope", "organization-scoped", fmt.Sprint(have.Scoped), fmt.Sprint(want.OrganizationScoped), "organization_scoped"))
	}
	if live := sorted(have.Projects); !slices.Equal(live, v.projectIDs(want.Projects)) {
		names := sorted(want.Projects)
		s.Projects = &names
		because = append(because, v.reason("client_projects", "projects", strings.Join(v.projectNames(live), ", "), strings.Join(names, ", "), "projects"))
	}
	if have.AgentPool != v.Pools[want.AgentPool] {
		s.AgentPool = &want.AgentPool
		because = append(because, v.reason("client_agent_pool", "agent pool", have.AgentPool, want.AgentPool, "agent_pool"))
	}
	return s, because
}

func (v view) clientKeyReasons(have *Client) []Reason {
	pair := v.Record.Consumer
	var because []Reason
	if have.Key != pair.Key && known(pair.Fingerprint) != "" {
		because = append(because, v.reason("client_consumer_key", "OAuth client's consumer key", have.Key, pair.Key, ""))
	}
	if have.Fingerprint != pair.Fingerprint {
		because = append(because, v.reason("client_public_key", "OAuth client's public key", have.Fingerprint, orNew(pair.Fingerprint), ""))
	}
	return because
}

// APIURL is the address of Bitbucket's API as Terraform wants it: without the
// context path, with a port that is not the scheme's own.
func APIURL(httpURL string) string {
	u, err := url.Parse(httpURL)
	if err != nil { // schema has parsed it already
		return httpURL
	}
	return u.Scheme + "://" + u.Host
}

// sorted returns a sorted copy, never nil: an UpdateClient with no projects
// must differ from one that leaves them alone, in JSON too.
func sorted(names []string) []string {
	out := append([]string{}, names...)
	slices.SortFunc(out, strings.Compare)
	return out
}
