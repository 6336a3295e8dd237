package terraformd

import (
	"maps"
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

// policyDefaults are the settings of a policy set that are kept: no policy is ever evaluated.
func policyDefaults() defaults {
	return defaults{
		"overridable": "null", "agent-enabled": "false", "policy-tool-version": "null", "policy-update-patterns": "[]",
		"tag-selectors": "[]", "tag-selector-matching-logic": "null",
	}
}

// defaults of a policy set: those of OPA can be overridden or not, Sentinel's cannot be.
func (p *policySet) defaults() defaults {
	if p.Kind != "opa" {
		return policyDefaults()
	}
	all := maps.Clone(policyDefaults())
	all["overridable"] = "false"
	return all
}

// apply sets what the request has. The caller holds the lock.
func (p *policySet) apply(o *organization, in body[policySetInput]) (err error) {
	set(&p.Name, in.attributes.Name)
	set(&p.Description, in.attributes.Description)
	set(&p.Kind, in.attributes.Kind)
	set(&p.Global, in.attributes.Global)
	set(&p.PoliciesPath, in.attributes.PoliciesPath)
	p.Kept = p.Kept.with(in.settings)
	if p.Related, err = relate(o, policyRelations(), p.Related, in); err != nil {
		return err
	}
	return o.checkPolicySet(p)
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
	in, err := readBody[policySetInput](s, c.Request, "policy-sets", policyDefaults())
	if err != nil {
		return reply{}, err
	}
	made := &policySet{ID: newID("polset"), Kind: "sentinel", CreatedAt: s.now(), UpdatedAt: s.now()}
	var o *organization
	err = s.read(func() error {
		if o, err = s.policies(c); err != nil {
			return err
		}
		return made.apply(o, in)
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
	in, err := readBody[policySetInput](s, c.Request, "policy-sets", policyDefaults())
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
		return changed.apply(o, in)
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
