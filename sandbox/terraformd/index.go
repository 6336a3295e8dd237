package terraformd

import (
	"crypto/sha256"
	"strings"
	"sync/atomic"
)

// index finds things by their ids without a walk, so that a fleet of thousands
// costs what one organization costs. It is rebuilt from the state on Load.
type index struct {
	users    map[string]*user
	tokens   map[[sha256.Size]byte]actor // API tokens by their digest
	tokenIDs map[string]actor            // API tokens by at-…
	orgs     map[string]*organization    // by lower-case name
	owner    map[string]*organization    // by the id of anything in an organization
	client   map[string]*client          // by oc-…, ot-… and uuid
	spaces   map[string]*workspace       // by ws-…, cv-… and hook uuid
}

func newIndex(st *state) index {
	ix := index{
		users: map[string]*user{}, tokens: map[[sha256.Size]byte]actor{}, tokenIDs: map[string]actor{}, orgs: map[string]*organization{},
		owner: map[string]*organization{}, client: map[string]*client{}, spaces: map[string]*workspace{},
	}
	for _, u := range st.Users {
		ix.addUser(u)
	}
	for _, o := range st.Organizations {
		ix.addOrganization(o)
	}
	return ix
}

func (ix *index) addUser(u *user) {
	ix.users[u.Name] = u
	for _, t := range u.Tokens {
		ix.addAPIToken(actor{user: u, token: t})
	}
}

func (ix *index) addOrganization(o *organization) {
	ix.orgs[strings.ToLower(o.Name)] = o
	for _, t := range o.Tokens {
		ix.addAPIToken(actor{organization: o, token: t})
	}
	for _, team := range o.Teams {
		ix.owner[team.ID] = o
		for _, t := range team.Tokens {
			ix.addAPIToken(actor{organization: o, team: team, token: t})
		}
	}
	for _, p := range o.Projects {
		ix.owner[p.ID] = o
	}
	for _, p := range o.AgentPools {
		ix.owner[p.ID] = o
	}
	for _, c := range o.Clients {
		ix.addClient(o, c)
	}
	for _, w := range o.Workspaces {
		ix.addWorkspace(o, w)
	}
	for _, p := range o.PolicySets {
		ix.owner[p.ID] = o
	}
}

// addAPIToken lets the token of the actor be found.
func (ix *index) addAPIToken(a actor) {
	a.token.lastUsed = new(atomic.Int64)
	ix.tokens[a.token.digest()], ix.tokenIDs[a.token.ID] = a, a
}

func (ix *index) dropAPIToken(t *apiToken) {
	delete(ix.tokens, t.digest())
	delete(ix.tokenIDs, t.ID)
}

func (ix *index) dropOrganization(o *organization) {
	delete(ix.orgs, strings.ToLower(o.Name))
	for _, t := range o.Tokens {
		ix.dropAPIToken(t)
	}
	for _, team := range o.Teams {
		delete(ix.owner, team.ID)
		for _, t := range team.Tokens {
			ix.dropAPIToken(t)
		}
	}
	for _, c := range o.Clients {
		ix.dropClient(c)
	}
	for _, w := range o.Workspaces {
		ix.dropWorkspace(w)
	}
	for _, p := range o.PolicySets {
		delete(ix.owner, p.ID)
	}
	for _, p := range o.Projects {
		delete(ix.owner, p.ID)
	}
	for _, p := range o.AgentPools {
		delete(ix.owner, p.ID)
	}
}

func (ix *index) addClient(o *organization, c *client) {
	ix.owner[c.ID], ix.client[c.ID] = o, c
	ix.owner[c.UUID], ix.client[c.UUID] = o, c
	if c.Token != nil {
		ix.owner[c.Token.ID], ix.client[c.Token.ID] = o, c
	}
}

func (ix *index) dropClient(c *client) {
	for _, id := range []string{c.ID, c.UUID} {
		delete(ix.owner, id)
		delete(ix.client, id)
	}
	if c.Token != nil {
		ix.dropToken(c.Token)
	}
}

func (ix *index) dropToken(t *token) {
	delete(ix.owner, t.ID)
	delete(ix.client, t.ID)
}

func (ix *index) addWorkspace(o *organization, w *workspace) {
	ix.owner[w.ID], ix.spaces[w.ID] = o, w
	if w.Repo != nil {
		ix.spaces[w.Repo.Hook] = w
	}
	for _, v := range w.Versions {
		ix.owner[v.ID], ix.spaces[v.ID] = o, w
	}
}

func (ix *index) dropWorkspace(w *workspace) {
	delete(ix.owner, w.ID)
	delete(ix.spaces, w.ID)
	if w.Repo != nil {
		delete(ix.spaces, w.Repo.Hook)
	}
	for _, v := range w.Versions {
		delete(ix.owner, v.ID)
		delete(ix.spaces, v.ID)
	}
}
