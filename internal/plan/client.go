package plan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

// oauthClient plans Terraform's side: the OAuth client is made once and then
// changed in place, never replaced, as replacing it unlinks every workspace.
func (d *differ) oauthClient() {
	provider := ServiceProvider(d.want, d.have.Bitbucket.Version)
	if d.client == nil {
		d.proveBefore()
		d.add(CreateClient{
			Name: d.want.Name, HTTPURL: d.want.Bitbucket.URL, APIURL: APIURL(d.want.Bitbucket.URL), ServiceProvider: provider,
			Scoped: d.want.OrganizationScoped, Projects: sorted(d.want.Projects), AgentPool: d.want.AgentPool,
		}, d.reason("OAuth client", "none in "+d.want.Organization, d.want.Name, "name"))
		d.note(d.want.Where("bitbucket"), "Terraform cannot change an OAuth client's HTTP URL (%s), API URL (%s) or service provider (%s) later",
			d.want.Bitbucket.URL, APIURL(d.want.Bitbucket.URL), provider)
		return
	}
	update, because := d.clientUpdate()
	if len(because) > 0 {
		d.add(update, because...)
	}
	d.immutable(provider)
}

// clientUpdate returns what differs and can be changed.
func (d *differ) clientUpdate() (UpdateClient, []Reason) {
	have, want := d.client, d.want
	step := UpdateClient{ID: have.ID}
	var because []Reason
	if have.Name != want.Name {
		step.Name = &want.Name
		because = append(because, d.reason("OAuth client's name", have.Name, want.Name, "name"))
	}
	if keys := d.clientKeyReasons(); len(keys) > 0 {
		step.Keys = true
		because = append(because, keys...)
	}
	if have.Scoped != want.OrganizationScoped {
		step.Scoped = &want.OrganizationScoped
		because = append(because, d.reason("organization-scoped", fmt.Sprint(have.Scoped), fmt.Sprint(want.OrganizationScoped), "organization_scoped"))
	}
	if live, wanted := sorted(have.Projects), d.projectIDs(); !slices.Equal(live, wanted) {
		names := sorted(want.Projects)
		step.Projects = &names
		because = append(because, d.reason("projects", list(d.projectNames(live)), list(names), "projects"))
	}
	if pool := d.have.Pools[want.AgentPool]; have.AgentPool != pool {
		step.AgentPool = &want.AgentPool
		because = append(because, d.reason("agent pool", orNone(have.AgentPool), orNone(want.AgentPool), "agent_pool"))
	}
	return step, because
}

func (d *differ) clientKeyReasons() []Reason {
	have := d.client
	if d.swapping {
		return nil
	}
	if d.newPair {
		d.doubtToken()
		return []Reason{d.reason("OAuth client's public key", orNone(have.Fingerprint), "a new one", "")}
	}
	want := d.have.Record.Consumer
	var because []Reason
	if have.Key != want.Key {
		because = append(because, d.reason("OAuth client's consumer key", orNone(have.Key), want.Key, ""))
	}
	if have.Fingerprint != want.Fingerprint {
		because = append(because, d.reason("OAuth client's public key", orNone(have.Fingerprint), want.Fingerprint, ""))
	}
	if len(because) > 0 {
		d.proveBefore()
		d.doubtToken()
	}
	return because
}

// proveBefore puts a proof of the consumer before Terraform is told to use it,
// unless one is planned. The one that was planned with the consumer may have
// been cut off.
func (d *differ) proveBefore() {
	if !d.proveOAuth {
		d.proveOAuth = true
		d.add(ProveConsumer{})
	}
}

// immutable tells of what differs and cannot be changed in place.
func (d *differ) immutable(provider string) {
	have, remedy := d.client, "to move to another URL, describe it as a bitbucket block of its own and write relocate { from = ... } (docs/relocate.md)"
	if api := APIURL(d.want.Bitbucket.URL); !names.SameURL(have.APIURL, api) {
		d.warn(d.want.Where("bitbucket"), "OAuth client %s has API URL %s, want %s, which Terraform cannot change; %s", have.ID, have.APIURL, api, remedy)
	}
	if !names.SameURL(have.HTTPURL, d.want.Bitbucket.URL) {
		d.warn(d.want.Where("bitbucket"), "OAuth client %s has HTTP URL %s, want %s, which Terraform cannot change; %s", have.ID, have.HTTPURL, d.want.Bitbucket.URL, remedy)
	}
	if have.ServiceProvider != provider {
		d.note(d.want.Where("service_provider"), "OAuth client %s is of service provider %s; a new one would be %s. Terraform treats them alike and cannot change it", have.ID, have.ServiceProvider, provider)
	}
}

// namesKnown reports whether the projects and the agent pool exist.
func (d *differ) namesKnown() bool {
	known := true
	for _, name := range d.want.Projects {
		if _, ok := d.have.Projects[name]; !ok {
			known = false
			d.block(Invalid, d.want.Where("projects"), fmt.Sprintf("organization %s has no project %q, or bbsync's token does not see it", d.want.Organization, name),
				"correct projects, create the project in Terraform, or give the token's team access to it")
		}
	}
	if _, ok := d.have.Pools[d.want.AgentPool]; d.want.AgentPool != "" && !ok {
		known = false
		d.block(Invalid, d.want.Where("agent_pool"), fmt.Sprintf("organization %s has no agent pool %q, or bbsync's token does not see it", d.want.Organization, d.want.AgentPool),
			"correct agent_pool, create the agent pool in Terraform, or give the token's team access to it")
	}
	return known
}

func (d *differ) projectIDs() []string {
	var ids []string
	for _, name := range d.want.Projects {
		ids = append(ids, d.have.Projects[name])
	}
	return sorted(ids)
}

func (d *differ) projectNames(ids []string) []string {
	names := slices.Clone(ids)
	for name, id := range d.have.Projects {
		if i := slices.Index(names, id); i >= 0 {
			names[i] = name
		}
	}
	return sorted(names)
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

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
