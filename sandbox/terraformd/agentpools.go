package terraformd

import (
	"slices"
	"time"
)

type agentPoolAttributes struct {
	Name               string    `json:"name"`
	AgentCount         int       `json:"agent-count"`
	OrganizationScoped bool      `json:"organization-scoped"`
	CreatedAt          time.Time `json:"created-at"`
}

func renderAgentPool(o *organization, p *agentPool) resource {
	return resource{
		ID: p.ID, Type: "agent-pools",
		Attributes:    agentPoolAttributes{Name: p.Name, OrganizationScoped: p.OrganizationScoped, CreatedAt: p.CreatedAt},
		Relationships: map[string]relation{"organization": toOne("organizations", o.Name)},
		Links:         map[string]string{"self": "/api/v2/agent-pools/" + p.ID},
	}
}

func (o *organization) agentPool(id string) *agentPool {
	for _, p := range o.AgentPools {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (s *Server) listAgentPools(c call) (reply, error) {
	p := s.pager(c.Request)
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err == nil {
			document = page(p, o.AgentPools, func(p *agentPool) resource { return renderAgentPool(o, p) })
		}
		return err
	})
	return ok(document), err
}

type agentPoolInput struct {
	Name               optional[string] `json:"name"`
	OrganizationScoped optional[bool]   `json:"organization-scoped"`
}

func (s *Server) createAgentPool(c call) (reply, error) {
	in, err := readBody[agentPoolInput](s, c.Request, "agent-pools")
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
		p := &agentPool{
			ID: newID("apool"), Name: in.attributes.Name.or(""), CreatedAt: s.now(),
			OrganizationScoped: in.attributes.OrganizationScoped.or(true),
		}
		switch {
		case p.Name == "":
			return invalid("name", "Name can't be blank")
		case slices.ContainsFunc(o.AgentPools, func(other *agentPool) bool { return other.Name == p.Name }):
			return invalid("name", "Name has already been taken")
		}
		o.AgentPools = append(o.AgentPools, p)
		s.index.owner[p.ID] = o
		document.Data = renderAgentPool(o, p)
		return nil
	})
	return created(document), err
}

func (s *Server) readAgentPool(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, err := s.ownerOf(c.actor, c.PathValue("pool"), seeOrganization)
		if err != nil {
			return err
		}
		p := o.agentPool(c.PathValue("pool"))
		if p == nil {
			return notFound()
		}
		document.Data = renderAgentPool(o, p)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteAgentPool(c call) (reply, error) {
	return noContent(), s.write("agent pool deleted", func() error {
		id := c.PathValue("pool")
		o, err := s.ownerOf(c.actor, id, manageWorkspaces)
		if err != nil {
			return err
		}
		switch {
		case o.agentPool(id) == nil:
			return notFound()
		case slices.ContainsFunc(o.Clients, func(other *client) bool { return other.AgentPool == id }):
			return unprocessable("Agent pool is in use by a VCS connection and cannot be deleted")
		}
		o.AgentPools = slices.DeleteFunc(o.AgentPools, func(p *agentPool) bool { return p.ID == id })
		delete(s.index.owner, id)
		return nil
	})
}
