package terraformd

import (
	"crypto/sha256"
	"net/http"
	"strings"
)

// actor is who a token speaks for: a user, or a whole organization.
type actor struct {
	user         *user
	organization *organization
}

// name identifies the actor where limits are counted: they are per user, not per
// token.
func (a actor) name() string {
	if a.user != nil {
		return a.user.ID
	}
	return a.organization.ID
}

// access returns what the actor may do in an organization, and whether it may see
// it at all. An organization's token manages VCS connections and workspaces
// (documented); it may not do what owners alone may.
func (a actor) access(o *organization) (Access, bool) {
	if a.organization != nil {
		return Access{ManageVCS: true, ManageWorkspaces: true}, a.organization == o
	}
	access, member := o.Members[a.user.Name]
	if access.Owner {
		access.ManageVCS, access.ManageWorkspaces = true, true
	}
	return access, member
}

// actor finds who sent a request. A wrong scheme is as bad as no token.
func (s *Server) actor(r *http.Request) (actor, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return actor{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.index.tokens[sha256.Sum256([]byte(strings.TrimSpace(token)))]
	return a, ok
}

// permission is what an endpoint asks for.
type permission int

const (
	seeOrganization permission = iota
	manageVCS
	manageWorkspaces
	manageShared // policy sets and registry modules
	ownOrganization
)

// allowed returns nil if the actor may do it. What is forbidden looks absent.
func (a actor) allowed(o *organization, p permission) error {
	access, member := a.access(o)
	granted := false
	switch p {
	case seeOrganization:
		granted = true
	case manageVCS:
		granted = access.ManageVCS
	case manageWorkspaces:
		granted = access.ManageWorkspaces
	case manageShared:
		// The real server has a permission of its own for each, which Access does not
		// know: owners hold all. That an organization's token does, too, is a guess.
		granted = access.Owner || a.organization != nil
	case ownOrganization:
		granted = access.Owner
	}
	if !member || !granted {
		return notFound()
	}
	return nil
}

// organization finds an organization by name for the actor. The caller holds the
// lock.
func (s *Server) organization(a actor, name string, p permission) (*organization, error) {
	o := s.index.orgs[strings.ToLower(name)]
	if o == nil {
		return nil, notFound()
	}
	return o, a.allowed(o, p)
}

// ownerOf finds the organization that anything with this id is in. The caller
// holds the lock.
func (s *Server) ownerOf(a actor, id string, p permission) (*organization, error) {
	o := s.index.owner[id]
	if o == nil {
		return nil, notFound()
	}
	return o, a.allowed(o, p)
}
