package terraformd

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

type projectAttributes struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created-at"`
}

func renderProject(o *organization, p *project) resource {
	return resource{
		ID: p.ID, Type: "projects",
		Attributes:    settled{projectAttributes{p.Name, p.Description, p.CreatedAt}, projectDefaults(), p.Kept},
		Relationships: map[string]relation{"organization": toOne("organizations", o.Name)},
		Links:         map[string]string{"self": "/api/v2/projects/" + p.ID},
	}
}

func (o *organization) defaultProject() *project {
	for _, p := range o.Projects {
		if p.Default {
			return p
		}
	}
	return &project{}
}

func (o *organization) project(id string) *project {
	for _, p := range o.Projects {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (s *Server) listProjects(c call) (reply, error) {
	p, q := s.pager(c.Request), c.URL.Query()
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		found := slices.DeleteFunc(slices.Clone(o.Projects), func(p *project) bool {
			named, search := q.Get("filter[names]"), q.Get("q")
			return named != "" && !slices.Contains(strings.Split(named, ","), p.Name) || !containsFold(p.Name, search)
		})
		document = page(p, found, func(p *project) resource { return renderProject(o, p) })
		return nil
	})
	return ok(document), err
}

type projectInput struct {
	Name        optional[string] `json:"name"`
	Description optional[string] `json:"description"`
}

// projectDefaults are the settings of a project that are kept and shown. How runs are
// carried out by default is the organization's matter here.
func projectDefaults() defaults {
	return defaults{
		"auto-destroy-activity-duration": "null", "default-execution-mode": "null", "default-agent-pool-id": "null", "setting-overwrites": "null",
	}
}

// projectName is a documented rule.
var projectName = regexp.MustCompile(`^[\pL\pN_-][\pL\pN _-]*[\pL\pN_-]$`)

// checkProject looks at a project's name. The caller holds the lock.
func (o *organization) checkProject(p *project) error {
	switch {
	case len(p.Name) < 3 || len(p.Name) > 40:
		return invalid("name", "Name must be 3 to 40 characters long")
	case !projectName.MatchString(p.Name):
		return invalid("name", "Name may only contain letters, numbers, inner spaces, hyphens and underscores")
	case slices.ContainsFunc(o.Projects, func(other *project) bool { return other.ID != p.ID && other.Name == p.Name }):
		return invalid("name", "Name has already been taken")
	}
	return nil
}

func (s *Server) createProject(c call) (reply, error) {
	in, err := readBody[projectInput](s, c.Request, "projects", projectDefaults())
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("project created", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), manageWorkspaces)
		if err != nil {
			return err
		}
		p := &project{ID: newID("prj"), Name: in.attributes.Name.or(""), Description: in.attributes.Description.or(""), CreatedAt: s.now(), Kept: in.settings}
		if err := o.checkProject(p); err != nil {
			return err
		}
		o.Projects = append(o.Projects, p)
		s.index.owner[p.ID] = o
		document.Data = renderProject(o, p)
		return nil
	})
	return created(document), err
}

func (s *Server) readProject(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, err := s.ownerOf(c.actor, c.PathValue("project"), seeOrganization)
		if err != nil {
			return err
		}
		p := o.project(c.PathValue("project"))
		if p == nil {
			return notFound()
		}
		document.Data = renderProject(o, p)
		return nil
	})
	return ok(document), err
}

func (s *Server) updateProject(c call) (reply, error) {
	in, err := readBody[projectInput](s, c.Request, "projects", projectDefaults())
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("project updated", func() error {
		o, err := s.ownerOf(c.actor, c.PathValue("project"), manageWorkspaces)
		if err != nil {
			return err
		}
		p := o.project(c.PathValue("project"))
		if p == nil {
			return notFound()
		}
		changed := *p
		set(&changed.Name, in.attributes.Name)
		set(&changed.Description, in.attributes.Description)
		changed.Kept = p.Kept.with(in.settings)
		if err := o.checkProject(&changed); err != nil {
			return err
		}
		*p = changed
		document.Data = renderProject(o, p)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteProject(c call) (reply, error) {
	return noContent(), s.write("project deleted", func() error {
		id := c.PathValue("project")
		o, err := s.ownerOf(c.actor, id, manageWorkspaces)
		if err != nil {
			return err
		}
		p := o.project(id)
		switch {
		case p == nil:
			return notFound()
		case p.Default:
			return unprocessable("The default project cannot be deleted")
		case slices.ContainsFunc(o.Workspaces, func(w *workspace) bool { return w.Project == id }):
			return unprocessable("Project has workspaces and cannot be deleted")
		}
		o.Projects = slices.DeleteFunc(o.Projects, func(other *project) bool { return other == p })
		for _, client := range o.Clients {
			client.Projects = slices.DeleteFunc(client.Projects, func(other string) bool { return other == id })
		}
		delete(s.index.owner, id)
		return nil
	})
}
