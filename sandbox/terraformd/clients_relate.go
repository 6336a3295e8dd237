package terraformd

import (
	"encoding/json"
	"slices"
)

// relationships is what relate reads; every body has it.
type relationships interface {
	refs(name string) ([]ref, bool, error)
	ref(name string) (*ref, bool, error)
}

// relate sets a client's projects and agent pool as far as a request gives them.
// The caller holds the lock.
func (s *Server) relate(o *organization, c *client, given map[string]json.RawMessage, in relationships) error {
	for name := range given {
		if !slices.Contains([]string{"projects", "agent-pool", "organization", "oauth-tokens"}, name) && !s.opts.Choices.IgnoreUnknownAttributes {
			return unprocessable(name + " is not a relationship of this resource")
		}
	}
	pool, set, err := in.ref("agent-pool")
	if err != nil {
		return err
	}
	if set {
		if err := s.setAgentPool(o, c, pool); err != nil {
			return err
		}
	}
	projects, set, err := in.refs("projects")
	if set {
		c.Projects = o.known(projects)
	}
	return err
}

func (s *Server) setAgentPool(o *organization, c *client, pool *ref) error {
	switch {
	case pool == nil:
		c.AgentPool = ""
		return nil
	case o.agentPool(pool.ID) == nil:
		return unprocessable("the provided agent pool does not exist or you are not authorized to use it")
	case !s.entitlements(o).PrivateVCS:
		return unprocessable("the organization does not have private VCS enabled")
	}
	// Calls to Bitbucket would go through the pool's agents. The sandbox has none
	// and calls Bitbucket itself.
	c.AgentPool = pool.ID
	return nil
}

// known keeps the projects that are the organization's. That others are dropped
// rather than refused is inferred from go-tfe's tests, which create a client with
// a project of another organization and read it back without.
func (o *organization) known(projects []ref) []string {
	var ids []string
	for _, p := range projects {
		if o.project(p.ID) != nil && !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (s *Server) attachProjects(c call) (reply, error) {
	return s.changeProjects(c, func(have []string, id string) []string {
		if slices.Contains(have, id) {
			return have
		}
		return append(have, id)
	})
}

func (s *Server) detachProjects(c call) (reply, error) {
	return s.changeProjects(c, func(have []string, id string) []string {
		return slices.DeleteFunc(have, func(other string) bool { return other == id })
	})
}

func (s *Server) changeProjects(c call, change func([]string, string) []string) (reply, error) {
	var document struct {
		Data []ref `json:"data"`
	}
	if err := readDocument(c.Request, &document); err != nil {
		return reply{}, err
	}
	return noContent(), s.write("oauth client's projects changed", func() error {
		o, found, err := s.clientOf(c.actor, c.PathValue("client"), manageVCS)
		if err != nil {
			return err
		}
		for _, p := range document.Data {
			if p.Type != "projects" || o.project(p.ID) == nil {
				return unprocessable("project " + p.ID + " does not exist")
			}
		}
		projects := slices.Clone(found.Projects)
		for _, p := range document.Data {
			projects = change(projects, p.ID)
		}
		found.Projects, found.UpdatedAt = projects, s.now()
		return nil
	})
}
