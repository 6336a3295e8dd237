package terraformd

import (
	"slices"
	"strings"
	"time"
)

type policySetAttributes struct {
	Name           string          `json:"name"`
	Description    string          `json:"description"`
	Kind           string          `json:"kind"`
	Global         bool            `json:"global"`
	AgentEnabled   bool            `json:"agent-enabled"`
	PoliciesPath   *string         `json:"policies-path"`
	PolicyCount    int             `json:"policy-count"`
	WorkspaceCount int             `json:"workspace-count"`
	ProjectCount   int             `json:"project-count"`
	Versioned      bool            `json:"versioned"`
	VCSRepo        *repoAttributes `json:"vcs-repo"`
	CreatedAt      time.Time       `json:"created-at"`
	UpdatedAt      time.Time       `json:"updated-at"`
}

func (s *Server) renderPolicySet(base string, o *organization, p *policySet) resource {
	attributes := policySetAttributes{
		Name: p.Name, Description: p.Description, Kind: p.Kind, Global: p.Global, PoliciesPath: orNull(p.PoliciesPath),
		Versioned: p.Repo != nil, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	if p.Repo != nil {
		attributes.VCSRepo = s.renderRepo(base, p.Repo)
	}
	return resource{
		ID: p.ID, Type: "policy-sets", Attributes: attributes,
		Relationships: map[string]relation{"organization": toOne("organizations", o.Name), "workspaces": toMany("workspaces"), "policies": toMany("policies")},
		Links:         map[string]string{"self": "/api/v2/policy-sets/" + p.ID},
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
		found := slices.DeleteFunc(slices.Clone(o.PolicySets), func(p *policySet) bool { return !strings.Contains(p.Name, search) })
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
