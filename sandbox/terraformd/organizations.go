package terraformd

import (
	"slices"
	"strings"
	"time"
)

// The plans an organization can be on. They decide what it is entitled to.
const (
	planFree     = "Free"
	planStandard = "Standard"
	planBusiness = "Business"
)

// business reports whether the plan is Business or one that has come after it.
func (o *organization) business() bool {
	return o.Plan != planFree && o.Plan != planStandard
}

type organizationAttributes struct {
	Name              string                  `json:"name"`
	ExternalID        string                  `json:"external-id"`
	Email             string                  `json:"email"`
	CreatedAt         time.Time               `json:"created-at"`
	RemainingTestable int                     `json:"remaining-testable-count"`
	PlanExpired       bool                    `json:"plan-expired"`
	UserTokensEnabled bool                    `json:"user-tokens-enabled"`
	Permissions       organizationPermissions `json:"permissions"`
}

type organizationPermissions struct {
	CanTraverse        bool `json:"can-traverse"`
	CanUpdate          bool `json:"can-update"`
	CanDestroy         bool `json:"can-destroy"`
	CanUpdateOAuth     bool `json:"can-update-oauth"`
	CanUpdateSSHKeys   bool `json:"can-update-ssh-keys"`
	CanUpdateAPIToken  bool `json:"can-update-api-token"`
	CanCreateWorkspace bool `json:"can-create-workspace"`
	CanCreateProject   bool `json:"can-create-project"`
	CanCreateTeam      bool `json:"can-create-team"`
	CanManageRunTasks  bool `json:"can-manage-run-tasks"`
	CanManageNoCode    bool `json:"can-manage-no-code-modules"`
	CanDeployNoCode    bool `json:"can-deploy-no-code-modules"`
}

func renderOrganization(a actor, o *organization) resource {
	access, _ := a.access(o)
	business := o.business()
	path := "/api/v2/organizations/" + o.Name
	return resource{
		ID: o.Name, Type: "organizations",
		Attributes: settled{organizationAttributes{
			Name: o.Name, ExternalID: o.ID, Email: o.Email, CreatedAt: o.CreatedAt,
			UserTokensEnabled: !o.NoUserTokens, RemainingTestable: 5,
			Permissions: organizationPermissions{
				CanTraverse: true, CanUpdate: access.Owner, CanDestroy: access.Owner,
				CanUpdateOAuth: access.ManageVCS, CanUpdateSSHKeys: access.ManageVCS && a.user != nil,
				CanUpdateAPIToken: access.Owner, CanCreateWorkspace: access.ManageWorkspaces,
				CanCreateProject: access.ManageWorkspaces, CanCreateTeam: access.Owner, CanManageRunTasks: access.Owner,
				CanManageNoCode: business && access.Owner, CanDeployNoCode: business && access.Owner,
			},
		}, organizationDefaults(), o.Kept},
		Relationships: map[string]relation{
			"default-project":    toOne("projects", o.defaultProject().ID).linked("/api/v2/projects/" + o.defaultProject().ID),
			"default-agent-pool": toOne("agent-pools", o.DefaultPool),
			"entitlement-set":    toOne("entitlement-sets", o.ID).linked(path + "/entitlement-set"),
			"oauth-tokens":       toMany("oauth-tokens").linked(path + "/oauth-tokens"),
		},
		Links: map[string]string{"self": path},
	}
}

func (s *Server) listOrganizations(c call) (reply, error) {
	q := c.URL.Query()
	p := s.pager(c.Request)
	var document list
	err := s.read(func() error {
		var seen []*organization
		for _, o := range s.state.Organizations {
			if _, member := c.actor.access(o); member && !c.actor.barred(o) && matches(o, q.Get("q"), q.Get("q[name]"), q.Get("q[email]")) {
				seen = append(seen, o)
			}
		}
		slices.SortFunc(seen, func(a, b *organization) int { return strings.Compare(a.Name, b.Name) })
		document = pageOrAll(p, seen, func(o *organization) resource { return renderOrganization(c.actor, o) })
		return nil
	})
	return ok(document), err
}

func matches(o *organization, either, name, email string) bool {
	return (containsFold(o.Name, either) || containsFold(o.Email, either)) && containsFold(o.Name, name) && containsFold(o.Email, email)
}

// containsFold is how every search of the API compares: without regard to case.
func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

func (s *Server) readOrganization(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err == nil {
			document.Data = renderOrganization(c.actor, o)
		}
		return err
	})
	return ok(document), err
}

type accountAttributes struct {
	Username         string `json:"username"`
	Email            string `json:"email"`
	IsServiceAccount bool   `json:"is-service-account"`
	AvatarURL        string `json:"avatar-url"`
	TwoFactor        struct {
		Enabled  bool `json:"enabled"`
		Verified bool `json:"verified"`
	} `json:"two-factor"`
	Permissions accountPermissions `json:"permissions"`
}

type accountPermissions struct {
	CanCreateOrganizations bool `json:"can-create-organizations"`
	CanChangeEmail         bool `json:"can-change-email"`
	CanChangeUsername      bool `json:"can-change-username"`
	CanManageUserTokens    bool `json:"can-manage-user-tokens"`
}

// account tells who the token speaks for. A team's or an organization's token is answered
// as the service account that the real server makes for it, and the resource it stands for.
func (s *Server) account(c call) (reply, error) {
	me := resource{Type: "users", Relationships: map[string]relation{"authenticated-resource": toOne(c.actor.ref().Type, c.actor.ref().ID)}}
	switch a := c.actor; {
	case a.user != nil:
		me.ID, me.Attributes = a.user.ID, accountAttributes{
			Username: a.user.Name, Email: a.user.Email, AvatarURL: s.address() + "/avatar/" + a.user.ID,
			Permissions: accountPermissions{true, true, true, true},
		}
	case a.team != nil:
		me.ID, me.Attributes = "user-"+a.team.ID, accountAttributes{Username: "api-" + a.team.ID, IsServiceAccount: true}
	default:
		me.ID, me.Attributes = "user-"+a.organization.ID, accountAttributes{Username: "api-org-" + a.organization.Name, IsServiceAccount: true}
	}
	me.Relationships["authentication-tokens"] = relation{toOne: true, links: map[string]string{"related": "/api/v2/users/" + me.ID + "/authentication-tokens"}}
	if !s.opts.Missing.AuthTokenLink {
		me.Links = map[string]string{"auth-token": "/api/v2/authentication-tokens/" + c.actor.token.ID}
	}
	return ok(one{Data: me}), nil
}
