package terraformd

import (
	"slices"
	"strings"
)

type policySetInput struct {
	Name         optional[string]    `json:"name"`
	Description  optional[string]    `json:"description"`
	Kind         optional[string]    `json:"kind"`
	Global       optional[bool]      `json:"global"`
	PoliciesPath optional[string]    `json:"policies-path"`
	VCSRepo      optional[repoInput] `json:"vcs-repo"`
}

// unusedPolicySettings are documented attributes that the sandbox neither uses nor
// tells. It looks at no relationship: no policy is ever evaluated.
func unusedPolicySettings() []string {
	return []string{
		"overridable", "agent-enabled", "policy-tool-version", "policy-update-patterns", "tag-selectors", "tag-selector-matching-logic",
	}
}

func (in policySetInput) apply(p *policySet) {
	set(&p.Name, in.Name)
	set(&p.Description, in.Description)
	set(&p.Kind, in.Kind)
	set(&p.Global, in.Global)
	set(&p.PoliciesPath, in.PoliciesPath)
}

// checkPolicySet looks at name and kind. The caller holds the lock.
func (o *organization) checkPolicySet(p *policySet) error {
	switch {
	case !workspaceName.MatchString(p.Name):
		return invalid("name", "Name can only include letters, numbers, -, and _")
	case slices.ContainsFunc(o.PolicySets, func(other *policySet) bool { return other.ID != p.ID && other.Name == p.Name }):
		return invalid("name", "Name has already been taken")
	case !slices.Contains([]string{"sentinel", "opa", "tfpolicy"}, p.Kind):
		return invalid("kind", "Kind is not included in the list")
	}
	return nil
}

func (s *Server) createPolicySet(c call) (reply, error) {
	in, err := readBody[policySetInput](s, c.Request, "policy-sets", unusedPolicySettings()...)
	if err != nil {
		return reply{}, err
	}
	made := &policySet{ID: newID("polset"), Kind: "sentinel", CreatedAt: s.now(), UpdatedAt: s.now()}
	in.attributes.apply(made)
	var o *organization
	err = s.read(func() error {
		if o, err = s.policies(c); err != nil {
			return err
		}
		return o.checkPolicySet(made)
	})
	if err != nil {
		return reply{}, err
	}
	switch repository := in.attributes.VCSRepo.value; {
	case repository != nil:
		if made.Repo, err = s.link(c.Context(), place{organization: o}, *repository); err != nil {
			return reply{}, err
		}
	case made.PoliciesPath != "":
		return reply{}, invalid("policies-path", "Policies path may only be specified with a VCS repository")
	}
	return s.addPolicySet(o, made)
}

func (s *Server) addPolicySet(o *organization, made *policySet) (reply, error) {
	base := s.address()
	var document one
	err := s.write("policy set created", func() error {
		if s.index.orgs[strings.ToLower(o.Name)] != o {
			return notFound() // deleted while Bitbucket was asked
		}
		if err := o.checkPolicySet(made); err != nil { // again: Bitbucket was asked in between
			return err
		}
		o.PolicySets = append(o.PolicySets, made)
		s.index.owner[made.ID] = o
		document.Data = s.renderPolicySet(base, o, made)
		return nil
	})
	return created(document), err
}

func (s *Server) updatePolicySet(c call) (reply, error) {
	in, err := readBody[policySetInput](s, c.Request, "policy-sets", unusedPolicySettings()...)
	if err != nil {
		return reply{}, err
	}
	var o *organization
	var found *policySet
	var changed policySet
	err = s.read(func() error {
		if o, found, err = s.policySetOf(c); err != nil {
			return err
		}
		changed = *found
		in.attributes.apply(&changed)
		return o.checkPolicySet(&changed)
	})
	if err != nil {
		return reply{}, err
	}
	old := changed.Repo
	if in.attributes.VCSRepo.set {
		if changed.Repo, err = s.relink(c.Context(), place{organization: o}, old, in.attributes.VCSRepo); err != nil {
			return reply{}, err
		}
	}
	answer, err := s.replacePolicySet(o, found, changed)
	if err == nil && old != nil && (changed.Repo == nil || changed.Repo.Hook != old.Hook) {
		s.unhook(o, old)
	}
	return answer, err
}

func (s *Server) replacePolicySet(o *organization, found *policySet, changed policySet) (reply, error) {
	base := s.address()
	var document one
	err := s.write("policy set updated", func() error {
		if s.index.owner[found.ID] != o {
			return notFound() // deleted while Bitbucket was asked
		}
		if err := o.checkPolicySet(&changed); err != nil {
			return err
		}
		changed.UpdatedAt = s.now()
		*found = changed
		document.Data = s.renderPolicySet(base, o, found)
		return nil
	})
	return ok(document), err
}
