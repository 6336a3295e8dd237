package terraformd

import (
	"slices"
	"strings"
	"time"
)

// poolRelations restrict who may use a pool that is not for the whole organization.
func poolRelations() relationKinds {
	return relationKinds{"allowed-workspaces": "workspaces", "allowed-projects": "projects", "excluded-workspaces": "workspaces"}
}

type agentPoolAttributes struct {
	Name               string    `json:"name"`
	AgentCount         int       `json:"agent-count"`
	OrganizationScoped bool      `json:"organization-scoped"`
	CreatedAt          time.Time `json:"created-at"`
}

func renderAgentPool(o *organization, p *agentPool) resource {
	relations := o.relations(poolRelations(), p.Related)
	var users []string
	for _, w := range o.Workspaces {
		if w.AgentPool == p.ID {
			users = append(users, w.ID)
		}
	}
	relations["workspaces"] = toMany("workspaces", users...)
	return resource{
		ID: p.ID, Type: "agent-pools",
		Attributes:    agentPoolAttributes{Name: p.Name, OrganizationScoped: p.OrganizationScoped, CreatedAt: p.CreatedAt},
		Relationships: relations,
		Links:         map[string]string{"self": "/api/v2/agent-pools/" + p.ID},
	}
}

func (o *organization) agentPool(id string) *agentPool {
	if i := slices.IndexFunc(o.AgentPools, func(p *agentPool) bool { return p.ID == id }); i >= 0 {
		return o.AgentPools[i]
	}
	return nil
}

// listAgentPools filters by name, and by a workspace or project that may use the pool.
func (s *Server) listAgentPools(c call) (reply, error) {
	p, q := s.pager(c.Request), c.URL.Query()
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		workspace, project := q.Get("filter[allowed_workspaces][name]"), q.Get("filter[allowed_projects][name]")
		found := slices.DeleteFunc(slices.Clone(o.AgentPools), func(p *agentPool) bool {
			return !containsFold(p.Name, q.Get("q")) || !p.OrganizationScoped && !o.serves(p, workspace, project)
		})
		if by := q.Get("sort"); strings.HasPrefix(by, "-") {
			slices.Reverse(found) // as made, which is what created-at and no order mean
		}
		document = page(p, found, func(p *agentPool) resource { return renderAgentPool(o, p) })
		return nil
	})
	return ok(document), err
}

// serves reports whether the pool lets the workspace and the project use it, by name;
// an empty name is no condition.
func (o *organization) serves(p *agentPool, workspaceName, projectName string) bool {
	allowed := func(id string) bool { return slices.Contains(p.Related["allowed-workspaces"], id) }
	return (workspaceName == "" || slices.ContainsFunc(o.Workspaces, func(w *workspace) bool { return w.Name == workspaceName && allowed(w.ID) })) &&
		(projectName == "" || slices.ContainsFunc(o.Projects, func(p2 *project) bool {
			return p2.Name == projectName && slices.Contains(p.Related["allowed-projects"], p2.ID)
		}))
}

type agentPoolInput struct {
	Name               optional[string] `json:"name"`
	OrganizationScoped optional[bool]   `json:"organization-scoped"`
}

// apply sets what the request has. The caller holds the lock.
func (p *agentPool) apply(o *organization, in body[agentPoolInput]) (err error) {
	set(&p.Name, in.attributes.Name)
	set(&p.OrganizationScoped, in.attributes.OrganizationScoped)
	if p.Related, err = relate(o, poolRelations(), p.Related, in); err != nil {
		return err
	}
	switch {
	case p.Name == "":
		return invalid("name", "Name can't be blank")
	case slices.ContainsFunc(o.AgentPools, func(other *agentPool) bool { return other.ID != p.ID && other.Name == p.Name }):
		return invalid("name", "Name has already been taken")
	}
	return nil
}

func (s *Server) createAgentPool(c call) (reply, error) {
	in, err := readBody[agentPoolInput](s, c.Request, "agent-pools", nil)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("agent pool created", func() error {
		// The permission is really one of its own (manage agent pools).
		o, err := s.organization(c.actor, c.PathValue("organization"), manageWorkspaces)
		if err != nil {
			return err
		}
		p := &agentPool{ID: newID("apool"), CreatedAt: s.now(), OrganizationScoped: true}
		if err := p.apply(o, in); err != nil {
			return err
		}
		o.AgentPools = append(o.AgentPools, p)
		s.index.owner[p.ID] = o
		document.Data = renderAgentPool(o, p)
		return nil
	})
	return created(document), err
}

// poolOf finds a pool by its id. The caller holds the lock.
func (s *Server) poolOf(c call, asks permission) (*organization, *agentPool, error) {
	o, err := s.ownerOf(c.actor, c.PathValue("pool"), asks)
	if err != nil {
		return nil, nil, err
	}
	if p := o.agentPool(c.PathValue("pool")); p != nil {
		return o, p, nil
	}
	return nil, nil, notFound()
}

func (s *Server) readAgentPool(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, p, err := s.poolOf(c, seeOrganization)
		if err == nil {
			document.Data = renderAgentPool(o, p)
		}
		return err
	})
	return ok(document), err
}

func (s *Server) updateAgentPool(c call) (reply, error) {
	in, err := readBody[agentPoolInput](s, c.Request, "agent-pools", nil)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("agent pool updated", func() error {
		o, found, err := s.poolOf(c, manageWorkspaces)
		if err != nil {
			return err
		}
		changed := *found
		if err := changed.apply(o, in); err != nil {
			return err
		}
		*found = changed
		document.Data = renderAgentPool(o, found)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteAgentPool(c call) (reply, error) {
	return noContent(), s.write("agent pool deleted", func() error {
		o, gone, err := s.poolOf(c, manageWorkspaces)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(o.Clients, func(other *client) bool { return other.AgentPool == gone.ID }) {
			return unprocessable("Agent pool is in use by a VCS connection and cannot be deleted")
		}
		o.AgentPools = slices.DeleteFunc(o.AgentPools, func(p *agentPool) bool { return p == gone })
		delete(s.index.owner, gone.ID)
		return nil
	})
}
