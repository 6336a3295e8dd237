package terraformd

import (
	"crypto/sha256"
	"net/http"
	"strings"
)

// actor is who a request speaks for: a user, a team, or a whole organization.
type actor struct {
	user         *user
	organization *organization
	team         *team     // of the organization; nil: the organization itself
	token        *apiToken // nil: a session of the pages
}

// name identifies the actor where limits are counted: they are per user, not per
// token.
func (a actor) name() string {
	if a.user != nil {
		return a.user.ID
	}
	if a.team != nil {
		return a.team.ID
	}
	return a.organization.ID
}

// access returns what the actor may do in an organization, and whether it may see
// it at all. An organization's token manages VCS connections and workspaces
// (documented); it may not do what owners alone may. That it manages policies and
// modules is a guess.
func (a actor) access(o *organization) (Access, bool) {
	var access Access
	member := a.organization == o
	switch {
	case a.token != nil && a.token.Kind == auditToken:
		return Access{}, false
	case a.team != nil:
		access = a.team.access()
	case a.organization != nil:
		access = Access{ManageVCS: true, ManageWorkspaces: true, ManagePolicies: true, ManageModules: true}
	default:
		access, member = o.Members[a.user.Name]
	}
	if access.Owner {
		return Access{Owner: true, ManageVCS: true, ManageWorkspaces: true, ManagePolicies: true, ManageModules: true}, member
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
	now := s.now()
	// Doubt: a team's or an organization's token above its maximum is taken for one that
	// does not exist. A user's is barred from the organizations that it is too long for.
	if !ok || a.token.ended(now) || a.organization != nil && a.token.exceeds(a.organization) {
		return actor{}, false
	}
	a.token.lastUsed.Store(now.UnixMilli())
	return a, true
}

// permission is what an endpoint asks for.
type permission int

const (
	seeOrganization permission = iota
	manageVCS
	manageWorkspaces
	managePolicies
	manageModules
	manageTeams
	ownOrganization
)

// allowed returns nil if the actor may do it. What is forbidden looks absent.
func (a actor) allowed(o *organization, p permission) error {
	access, member := a.access(o)
	if member && a.barred(o) {
		return unauthorized()
	}
	granted := false
	switch p {
	case seeOrganization:
		granted = true
	case manageVCS:
		granted = access.ManageVCS
	case manageWorkspaces:
		granted = access.ManageWorkspaces
	case managePolicies:
		granted = access.ManagePolicies
	case manageModules:
		granted = access.ManageModules
	case manageTeams:
		// Documented: an organization's token manages teams, too.
		granted = access.Owner || a.team == nil && a.organization != nil || a.team != nil && a.team.Access["manage-teams"]
	case ownOrganization:
		granted = access.Owner
	}
	if !member || !granted {
		return notFound()
	}
	return nil
}

// barred reports whether the organization takes no user tokens, or not one that lives as
// long: go-tfe's tests expect "unauthorized" of the first. Doubt: that of the second.
func (a actor) barred(o *organization) bool {
	return a.user != nil && a.token != nil && (o.NoUserTokens || a.token.exceeds(o))
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
