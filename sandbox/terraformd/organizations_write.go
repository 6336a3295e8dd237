package terraformd

import (
	"regexp"
	"slices"
	"strings"
)

type organizationInput struct {
	Name  optional[string] `json:"name"`
	Email optional[string] `json:"email"`

	UserTokens optional[bool] `json:"user-tokens-enabled"`
}

var organizationName = regexp.MustCompile(`^[A-Za-z0-9_-]{3,40}$`)

// unusedOrganizationSettings are attributes of the API that the sandbox neither
// uses nor tells.
func unusedOrganizationSettings() []string {
	return []string{
		"assessments-enforced", "session-remember", "session-timeout", "collaborator-auth-policy", "cost-estimation-enabled",
		"owners-team-saml-role-id", "send-passing-statuses-for-untriggered-speculative-plans", "aggregated-commit-status-enabled",
		"speculative-plan-management-enabled", "allow-force-delete-workspaces", "default-execution-mode", "enforce-hyok",
		"stacks-enabled", "registry-monorepo-support-enabled", "max-ttl-enabled",
	}
}

func (s *Server) createOrganization(c call) (reply, error) {
	if c.actor.user == nil {
		return reply{}, notFound()
	}
	in, err := readBody[organizationInput](s, c.Request, "organizations", unusedOrganizationSettings()...)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("organization created", func() error {
		o, err := s.newOrganization(in.attributes.Name.or(""), in.attributes.Email.or(""))
		if err != nil {
			return err
		}
		o.Members[c.actor.user.Name] = Access{Owner: true}
		document.Data = renderOrganization(c.actor, o)
		return nil
	})
	return created(document), err
}

// newOrganization adds an organization with its default project. The caller holds
// the lock.
func (s *Server) newOrganization(name, email string) (*organization, error) {
	if err := s.checkOrganization(nil, name, email); err != nil {
		return nil, err
	}
	s.state.LastNumber++
	o := &organization{
		ID: newID("org"), Number: s.state.LastNumber, Name: name, Email: email, CreatedAt: s.now(),
		Plan: planFree, Members: map[string]Access{},
		Projects: []*project{{ID: newID("prj"), Name: "Default Project", CreatedAt: s.now(), Default: true}},
		Teams:    []*team{newTeam(owners)},
	}
	s.state.Organizations = append(s.state.Organizations, o)
	s.index.addOrganization(o)
	return o, nil
}

// checkOrganization looks at what an organization, nil for a new one, is to be
// called. The caller holds the lock.
func (s *Server) checkOrganization(o *organization, name, email string) error {
	named := s.index.orgs[strings.ToLower(name)]
	switch {
	case !organizationName.MatchString(name):
		return invalid("name", "Name can only include letters, numbers, -, and _, and must be 3 to 40 characters long")
	case named != nil && named != o:
		return invalid("name", "Name has already been taken")
	case email == "":
		return invalid("email", "Email can't be blank")
	}
	return nil
}

// updateOrganization changes name and email. The tfe provider sends one after each
// organization that it creates.
func (s *Server) updateOrganization(c call) (reply, error) {
	in, err := readBody[organizationInput](s, c.Request, "organizations", unusedOrganizationSettings()...)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("organization updated", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
		if err != nil {
			return err
		}
		name, email := in.attributes.Name.or(o.Name), in.attributes.Email.or(o.Email)
		if err := s.checkOrganization(o, name, email); err != nil {
			return err
		}
		delete(s.index.orgs, strings.ToLower(o.Name))
		o.Name, o.Email, o.NoUserTokens = name, email, !in.attributes.UserTokens.or(!o.NoUserTokens)
		s.index.orgs[strings.ToLower(o.Name)] = o
		document.Data = renderOrganization(c.actor, o)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteOrganization(c call) (reply, error) {
	return noContent(), s.write("organization deleted", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
		if err != nil {
			return err
		}
		s.state.Organizations = slices.DeleteFunc(s.state.Organizations, func(other *organization) bool { return other == o })
		s.index.dropOrganization(o)
		return nil
	})
}
