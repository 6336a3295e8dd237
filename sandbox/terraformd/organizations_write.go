package terraformd

import (
	"encoding/json"
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

// organizationDefaults are the settings of an organization that are kept and shown.
func organizationDefaults() defaults {
	return defaults{
		"assessments-enforced": "false", "session-remember": "null", "session-timeout": "null", "collaborator-auth-policy": `"password"`,
		"cost-estimation-enabled": "false", "owners-team-saml-role-id": "null", "send-passing-statuses-for-untriggered-speculative-plans": "false",
		"aggregated-commit-status-enabled": "true", "speculative-plan-management-enabled": "true", "allow-force-delete-workspaces": "false",
		"default-execution-mode": `"remote"`, "enforce-hyok": "false", "stacks-enabled": "false", "registry-monorepo-support-enabled": "false",
		"max-ttl-enabled": "false",
	}
}

// defaultMode is how the runs of a workspace are carried out that does not say it itself.
func (o *organization) defaultMode() string {
	mode := "remote"
	if raw, found := o.Kept["default-execution-mode"]; found {
		_ = json.Unmarshal(raw, &mode) // a string, or null
	}
	return mode
}

func (s *Server) createOrganization(c call) (reply, error) {
	if c.actor.user == nil {
		return reply{}, notFound()
	}
	in, err := readBody[organizationInput](s, c.Request, "organizations", organizationDefaults())
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("organization created", func() error {
		o, err := s.newOrganization(in.attributes.Name.or(""), in.attributes.Email.or(""))
		if err != nil {
			return err
		}
		o.Members[c.actor.user.Name], o.Kept = Access{Owner: true}, in.settings
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
	in, err := readBody[organizationInput](s, c.Request, "organizations", organizationDefaults())
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
		pool, given, err := in.ref("default-agent-pool")
		switch {
		case err != nil:
			return err
		case given && pool == nil:
			o.DefaultPool = ""
		case given && o.agentPool(pool.ID) == nil:
			return unprocessable("the provided agent pool does not exist or you are not authorized to use it")
		}
		was := o.Kept
		o.Kept = o.Kept.with(in.settings)
		switch agents := o.defaultMode() == "agent"; {
		case given && pool != nil && !agents:
			o.Kept = was
			return unprocessable("Default agent pool must not be specified unless using 'agent' execution mode")
		case !agents:
			o.DefaultPool = ""
		case given && pool != nil:
			o.DefaultPool = pool.ID
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
