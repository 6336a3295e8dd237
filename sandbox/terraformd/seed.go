package terraformd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// User is a person or a robot with an API token.
type User struct {
	Name      string
	Email     string      // empty: name@example.com
	Password  secret.Text // for the pages; empty: cannot log in
	Token     secret.Text // for the API; empty: none
	TokenEnds time.Time   // zero: never
	SiteAdmin bool        // may use the administration's API
}

// Organization is an organization to begin with.
type Organization struct {
	Name    string
	Email   string // empty: name@example.com
	Members map[string]Access
	Token   secret.Text // the organization's own; empty: none
	// Business puts it on the plan that has private VCS.
	Business bool
	// NoVCS takes the vcs-integrations entitlement away.
	NoVCS bool
}

// AddUser adds a user.
func (s *Server) AddUser(in User) error {
	return s.write("user added", func() error {
		if in.Name == "" || s.index.users[in.Name] != nil {
			return fmt.Errorf("user %q: %w", in.Name, errExists)
		}
		if in.Email == "" {
			in.Email = in.Name + "@example.com"
		}
		u := &user{
			ID: newID("user"), Name: in.Name, Email: in.Email, Password: kept{in.Password}, SiteAdmin: in.SiteAdmin,
		}
		if !in.Token.Empty() {
			made := s.seededToken(userToken, in.Token, u.ID)
			if !in.TokenEnds.IsZero() {
				made.ExpiredAt = &in.TokenEnds
			}
			u.Tokens = []*apiToken{made}
		}
		s.state.Users = append(s.state.Users, u)
		s.index.addUser(u)
		return nil
	})
}

// seededToken is a token whose text is given. It never ends, as tokens of before 2026.
func (s *Server) seededToken(kind string, text secret.Text, creator string) *apiToken {
	made := &apiToken{ID: newID("at"), Kind: kind, Text: kept{text}, Description: new("seeded"), CreatedAt: s.now()}
	if creator != "" {
		made.CreatedBy = ref{ID: creator, Type: "users"}
	}
	return made
}

// AddOrganization adds an organization with its default project.
func (s *Server) AddOrganization(in Organization) error {
	return s.write("organization added", func() error {
		if in.Email == "" {
			in.Email = in.Name + "@example.com"
		}
		for name := range in.Members {
			if s.index.users[name] == nil {
				return fmt.Errorf("organization %q: there is no user %q", in.Name, name)
			}
		}
		o, err := s.newOrganization(in.Name, in.Email)
		if err != nil {
			return fmt.Errorf("organization %q: %w", in.Name, err)
		}
		maps.Copy(o.Members, in.Members)
		o.NoVCS = in.NoVCS
		if in.Business {
			o.Plan = planBusiness
		}
		if !in.Token.Empty() {
			made := s.seededToken(organizationToken, in.Token, "")
			o.Tokens = append(o.Tokens, made)
			s.index.addAPIToken(actor{organization: o, token: made})
		}
		return nil
	})
}

// SetAccess changes what a user may do in an organization.
func (s *Server) SetAccess(organization, name string, access Access) error {
	return s.write("membership changed", func() error {
		o := s.index.orgs[strings.ToLower(organization)]
		if o == nil || s.index.users[name] == nil {
			return fmt.Errorf("there is no organization %q or no user %q", organization, name)
		}
		o.Members[name] = access
		return nil
	})
}

// Organizations lists the names, sorted.
func (s *Server) Organizations() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, len(s.state.Organizations))
	for i, o := range s.state.Organizations {
		names[i] = o.Name
	}
	slices.Sort(names)
	return names
}
