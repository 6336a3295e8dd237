package terraformd

import (
	"slices"
	"time"
)

type policySetAttributes struct {
	Name           string          `json:"name"`
	Description    string          `json:"description"`
	Kind           string          `json:"kind"`
	Global         bool            `json:"global"`
	PoliciesPath   *string         `json:"policies-path"`
	PolicyCount    int             `json:"policy-count"`
	WorkspaceCount int             `json:"workspace-count"`
	ProjectCount   int             `json:"project-count"`
	Versioned      bool            `json:"versioned"`
	VCSRepo        *repoAttributes `json:"vcs-repo"`
	CreatedAt      time.Time       `json:"created-at"`
	UpdatedAt      time.Time       `json:"updated-at"`
}

// policyRelations are what a policy set applies to, and what it spares.
func policyRelations() relationKinds {
	return relationKinds{
		"workspaces": "workspaces", "workspace-exclusions": "workspaces", "projects": "projects", "project-exclusions": "projects",
	}
}

func (s *Server) renderPolicySet(base string, o *organization, p *policySet) resource {
	attributes := policySetAttributes{
		Name: p.Name, Description: p.Description, Kind: p.Kind, Global: p.Global, PoliciesPath: orNull(p.PoliciesPath),
		Versioned: p.Repo != nil, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		WorkspaceCount: len(o.existing("workspaces", p.Related["workspaces"])), ProjectCount: len(o.existing("projects", p.Related["projects"])),
	}
	if p.Repo != nil {
		attributes.VCSRepo = s.renderRepo(base, p.Repo)
	}
	relations := o.relations(policyRelations(), p.Related)
	relations["policies"] = toMany("policies")
	return resource{
		ID: p.ID, Type: "policy-sets", Attributes: settled{attributes, p.defaults(), p.Kept}, Relationships: relations,
		Links: map[string]string{"self": "/api/v2/policy-sets/" + p.ID},
	}
}

// policies finds an organization for who may manage its policies. Without that
// permission, without the entitlement, and in a release that has none, policy sets
// look absent; that the real server shows none of them to a member is inferred from
// its permissions, which count reading among managing.
func (s *Server) policies(c call) (*organization, error) {
	o, err := s.organization(c.actor, c.PathValue("organization"), managePolicies)
	if err == nil && (s.opts.Missing.PolicySets || !s.entitlements(o).Sentinel) {
		err = notFound()
	}
	return o, err
}

func (s *Server) listPolicySets(c call) (reply, error) {
	p, base := s.pager(c.Request), s.address()
	var document list
	err := s.read(func() error {
		o, err := s.policies(c)
		if err != nil {
			return err
		}
		search := c.URL.Query().Get("search[name]")
		found := slices.DeleteFunc(slices.Clone(o.PolicySets), func(p *policySet) bool { return !containsFold(p.Name, search) })
		document = page(p, found, func(p *policySet) resource { return s.renderPolicySet(base, o, p) })
		return nil
	})
	return ok(document), err
}

// policySetOf finds a policy set by its id. The caller holds the lock.
func (s *Server) policySetOf(c call) (*organization, *policySet, error) {
	o, err := s.ownerOf(c.actor, c.PathValue("set"), managePolicies)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(o.PolicySets, func(p *policySet) bool { return p.ID == c.PathValue("set") })
	if i < 0 {
		return nil, nil, notFound()
	}
	return o, o.PolicySets[i], nil
}

func (s *Server) readPolicySet(c call) (reply, error) {
	base := s.address()
	var document one
	err := s.read(func() error {
		o, p, err := s.policySetOf(c)
		if err == nil {
			document.Data = s.renderPolicySet(base, o, p)
		}
		return err
	})
	return ok(document), err
}

func (s *Server) deletePolicySet(c call) (reply, error) {
	var o *organization
	var gone *policySet
	err := s.write("policy set deleted", func() (err error) {
		if o, gone, err = s.policySetOf(c); err != nil {
			return err
		}
		o.PolicySets = slices.DeleteFunc(o.PolicySets, func(p *policySet) bool { return p == gone })
		delete(s.index.owner, gone.ID)
		return nil
	})
	if err == nil && gone.Repo != nil {
		s.unhook(o, gone.Repo)
	}
	return noContent(), err
}
