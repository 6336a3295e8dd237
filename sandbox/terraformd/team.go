package terraformd

import (
	"maps"
	"slices"
	"strings"
)

// team is a team of an organization. Its members are not modelled: a user's rights
// are the user's own (Organization.Members). What a team may do counts for its tokens.
type team struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Visibility   string          `json:"visibility"`
	SSOTeamID    *string         `json:"sso_team_id,omitempty"`
	MemberTokens bool            `json:"member_tokens"` // allow-member-token-management
	Access       map[string]bool `json:"access"`        // organization-access, by attribute
	Tokens       []*apiToken     `json:"tokens,omitempty"`
}

// owners is the team that every organization has and that may do everything.
const owners = "owners"

func newTeam(name string) *team {
	t := &team{ID: newID("team"), Name: name, Visibility: "secret", MemberTokens: true, Access: map[string]bool{}}
	for _, right := range teamRights() {
		t.Access[right] = name == owners
	}
	return t
}

// teamRights are the attributes of organization-access.
func teamRights() []string {
	return []string{
		"manage-policies", "manage-policy-overrides", "delegate-policy-overrides", "manage-workspaces", "manage-vcs-settings",
		"manage-providers", "manage-modules", "manage-run-tasks", "manage-projects", "read-workspaces", "read-projects",
		"manage-membership", "manage-teams", "manage-organization-access", "access-secret-teams", "manage-agent-pools",
	}
}

// access is what a token of the team may do.
func (t *team) access() Access {
	return Access{
		Owner: t.Name == owners, ManageVCS: t.Access["manage-vcs-settings"], ManageWorkspaces: t.Access["manage-workspaces"],
		ManagePolicies: t.Access["manage-policies"], ManageModules: t.Access["manage-modules"],
	}
}

type teamAttributes struct {
	Name         string          `json:"name"`
	UsersCount   int             `json:"users-count"`
	Visibility   string          `json:"visibility"`
	SSOTeamID    *string         `json:"sso-team-id"`
	MemberTokens bool            `json:"allow-member-token-management"`
	Access       map[string]bool `json:"organization-access"`
	Permissions  teamPermissions `json:"permissions"`
}

type teamPermissions struct {
	CanUpdateMembership bool `json:"can-update-membership"`
	CanDestroy          bool `json:"can-destroy"`
	CanUpdateAPIToken   bool `json:"can-update-api-token"`
}

func (s *Server) renderTeam(a actor, o *organization, t *team) resource {
	access, _ := a.access(o)
	return resource{
		ID: t.ID, Type: "teams",
		Attributes: teamAttributes{
			Name: t.Name, Visibility: t.Visibility, SSOTeamID: t.SSOTeamID, MemberTokens: t.MemberTokens, Access: maps.Clone(t.Access),
			Permissions: teamPermissions{
				CanUpdateMembership: access.Owner, CanDestroy: access.Owner && t.Name != owners, CanUpdateAPIToken: s.managesTokens(a, o, t),
			},
		},
		Relationships: map[string]relation{
			"organization":         toOne("organizations", o.Name),
			"users":                toMany("users"),
			"authentication-token": {toOne: true, links: map[string]string{"related": "/api/v2/teams/" + t.ID + "/authentication-token"}},
		},
		Links: map[string]string{"self": "/api/v2/teams/" + t.ID},
	}
}

// seesTeam reports whether a team is shown to the actor: a secret one to owners, the
// organization's token and the team itself.
func (a actor) seesTeam(o *organization, t *team) bool {
	access, member := a.access(o)
	return member && (access.Owner || t.Visibility != "secret" || a.team == t || a.team == nil && a.organization != nil)
}

// teamByID finds a team and its organization. The caller holds the lock.
func (s *Server) teamByID(id string) (*organization, *team) {
	o := s.index.owner[id]
	if o == nil {
		return nil, nil
	}
	if i := slices.IndexFunc(o.Teams, func(t *team) bool { return t.ID == id }); i >= 0 {
		return o, o.Teams[i]
	}
	return nil, nil
}

func (s *Server) listTeams(c call) (reply, error) {
	p, q := s.pager(c.Request), c.URL.Query()
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		names := strings.FieldsFunc(q.Get("filter[names]"), func(r rune) bool { return r == ',' })
		found := slices.DeleteFunc(slices.Clone(o.Teams), func(t *team) bool {
			return !c.actor.seesTeam(o, t) || !containsFold(t.Name, q.Get("q")) || len(names) > 0 && !slices.Contains(names, t.Name)
		})
		document = page(p, found, func(t *team) resource { return s.renderTeam(c.actor, o, t) })
		return nil
	})
	return ok(document), err
}

func (s *Server) readTeam(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, t := s.teamByID(c.PathValue("team"))
		if t == nil || !c.actor.seesTeam(o, t) {
			return notFound()
		}
		document.Data = s.renderTeam(c.actor, o, t)
		return nil
	})
	return ok(document), err
}

type teamInput struct {
	Name         optional[string]          `json:"name"`
	Visibility   optional[string]          `json:"visibility"`
	SSOTeamID    optional[string]          `json:"sso-team-id"`
	MemberTokens optional[bool]            `json:"allow-member-token-management"`
	Access       optional[map[string]bool] `json:"organization-access"`
}

func (in teamInput) apply(o *organization, t *team) error {
	set(&t.Name, in.Name)
	set(&t.Visibility, in.Visibility)
	set(&t.MemberTokens, in.MemberTokens)
	if in.SSOTeamID.set {
		t.SSOTeamID = in.SSOTeamID.value
	}
	t.Access = maps.Clone(t.Access)
	maps.Copy(t.Access, in.Access.or(nil))
	switch {
	case t.Name == "":
		return invalid("name", "Name can't be blank")
	case slices.ContainsFunc(o.Teams, func(other *team) bool { return other.ID != t.ID && other.Name == t.Name }):
		return invalid("name", "Name has already been taken")
	case t.Visibility != "secret" && t.Visibility != "organization":
		return invalid("visibility", "Visibility is not included in the list")
	}
	return nil
}

func (s *Server) createTeam(c call) (reply, error) {
	in, err := readBody[teamInput](s, c.Request, "teams", nil)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("team created", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), manageTeams)
		if err != nil {
			return err
		}
		made := newTeam("")
		if err := in.attributes.apply(o, made); err != nil {
			return err
		}
		o.Teams = append(o.Teams, made)
		s.index.owner[made.ID] = o
		document.Data = s.renderTeam(c.actor, o, made)
		return nil
	})
	return created(document), err
}

// teamToChange finds a team for who may manage teams. The caller holds the lock.
func (s *Server) teamToChange(c call) (*organization, *team, error) {
	o, t := s.teamByID(c.PathValue("team"))
	if t == nil || c.actor.allowed(o, manageTeams) != nil {
		return nil, nil, notFound()
	}
	return o, t, nil
}

func (s *Server) updateTeam(c call) (reply, error) {
	in, err := readBody[teamInput](s, c.Request, "teams", nil)
	if err != nil {
		return reply{}, err
	}
	var document one
	err = s.write("team updated", func() error {
		o, found, err := s.teamToChange(c)
		if err != nil {
			return err
		}
		changed := *found
		if err := in.attributes.apply(o, &changed); err != nil {
			return err
		}
		*found = changed
		document.Data = s.renderTeam(c.actor, o, found)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteTeam(c call) (reply, error) {
	return noContent(), s.write("team deleted", func() error {
		o, gone, err := s.teamToChange(c)
		switch {
		case err != nil:
			return err
		case gone.Name == owners:
			return unprocessable("The owners team cannot be deleted") // Doubt: the text
		}
		for _, t := range gone.Tokens {
			s.index.dropAPIToken(t)
		}
		o.Teams = slices.DeleteFunc(o.Teams, func(t *team) bool { return t == gone })
		delete(s.index.owner, gone.ID)
		return nil
	})
}
