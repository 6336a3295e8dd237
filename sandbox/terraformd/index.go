package terraformd

import (
	"crypto/sha256"
	"strings"
)

// index finds things by their ids without a walk, so that a fleet of thousands
// costs what one organization costs. It is rebuilt from the state on Load.
type index struct {
	users  map[string]*user
	tokens map[[sha256.Size]byte]actor // API tokens by their digest
	orgs   map[string]*organization    // by lower-case name
	owner  map[string]*organization    // by the id of anything in an organization
	client map[string]*client          // by oc-…, ot-… and uuid
	spaces map[string]*workspace       // by ws-…, cv-… and hook uuid
}

func newIndex(st *state) index {
	ix := index{
		users: map[string]*user{}, tokens: map[[sha256.Size]byte]actor{}, orgs: map[string]*organization{},
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
	if !u.Token.Empty() {
		ix.tokens[sha256.Sum256([]byte(u.Token.Reveal()))] = actor{user: u}
	}
}

func (ix *index) addOrganization(o *organization) {
	ix.orgs[strings.ToLower(o.Name)] = o
	ix.addOrganizationToken(o)
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

func (ix *index) addOrganizationToken(o *organization) {
	if !o.Token.Empty() {
		ix.tokens[sha256.Sum256([]byte(o.Token.Reveal()))] = actor{organization: o}
	}
}

func (ix *index) dropOrganizationToken(o *organization) {
	if !o.Token.Empty() {
		delete(ix.tokens, sha256.Sum256([]byte(o.Token.Reveal())))
	}
}

func (ix *index) dropOrganization(o *organization) {
	delete(ix.orgs, strings.ToLower(o.Name))
	ix.dropOrganizationToken(o)
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
