package terraformd

import "strings"

type entitlements struct {
	Agents                bool `json:"agents"`
	AuditLogging          bool `json:"audit-logging"`
	CostEstimation        bool `json:"cost-estimation"`
	Operations            bool `json:"operations"`
	PrivateModuleRegistry bool `json:"private-module-registry"`
	PrivateVCS            bool `json:"private-vcs"`
	RunTasks              bool `json:"run-tasks"`
	SSO                   bool `json:"sso"`
	Sentinel              bool `json:"sentinel"`
	StateStorage          bool `json:"state-storage"`
	Teams                 bool `json:"teams"`
	VCSIntegrations       bool `json:"vcs-integrations"`
	WaypointTemplates     bool `json:"waypoint-templates-and-addons"`
	Infragraph            bool `json:"infragraph"`
}

// entitlements derives from the plan what an organization may use. Private VCS is
// documented for HCP Terraform alone.
func (s *Server) entitlements(o *organization) entitlements {
	business := o.business() || !s.IsCloud()
	return entitlements{
		Agents: true, Operations: true, PrivateModuleRegistry: true, StateStorage: true, RunTasks: true,
		VCSIntegrations:   !o.NoVCS,
		WaypointTemplates: business, Infragraph: business,
		AuditLogging: business, CostEstimation: business, SSO: business, Sentinel: business,
		Teams:      business || o.Plan == planStandard,
		PrivateVCS: o.business() && s.IsCloud(),
	}
}

func (s *Server) readEntitlements(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		document.Data = resource{
			ID: o.ID, Type: "entitlement-sets", Attributes: s.entitlements(o),
			Links: map[string]string{"self": "/api/v2/entitlement-sets/" + o.ID},
		}
		return nil
	})
	return ok(document), err
}

type featureSetAttributes struct {
	Name string `json:"name"`
}

// plans are the names of what can be subscribed to.
func plans() []string {
	return []string{planFree, planStandard, planBusiness, "Plus", "Premium", "Enterprise", "Standard (entitlement)"}
}

// featureSets are the plans by the ids that the administration's API has for them.
func featureSets() []resource {
	var sets []resource
	for _, plan := range plans() {
		sets = append(sets, resource{
			ID: "fs-" + strings.ToLower(plan), Type: "feature-sets", Attributes: featureSetAttributes{plan},
		})
	}
	return sets
}

func (c call) admin() error {
	if c.actor.user == nil || !c.actor.user.SiteAdmin {
		return notFound()
	}
	return nil
}

func (s *Server) listFeatureSets(c call) (reply, error) {
	if err := c.admin(); err != nil {
		return reply{}, err
	}
	var found []resource
	for _, set := range featureSets() {
		if strings.Contains(set.ID, strings.ToLower(c.URL.Query().Get("q"))) {
			found = append(found, set)
		}
	}
	return ok(page(s.pager(c.Request), found, func(r resource) resource { return r })), nil
}

type subscriptionInput struct{}

// subscriptionTerms have no effect here.
func subscriptionTerms() defaults {
	return defaults{
		"runs-ceiling": "0", "agents-ceiling": "0", "contract-start-at": `""`, "end-at": `""`, "contract-user-limit": "0",
		"contract-apply-limit": "0", "contract-managed-resources-limit": "0", "is-public-free-tier": "false", "is-self-serve-trial": "false",
	}
}

// subscribe puts an organization on a plan. The sandbox needs no more of the
// administration's API than this.
func (s *Server) subscribe(c call) (reply, error) {
	if err := c.admin(); err != nil {
		return reply{}, err
	}
	in, err := readBody[subscriptionInput](s, c.Request, "subscription", subscriptionTerms())
	if err != nil {
		return reply{}, err
	}
	set, _, err := in.ref("feature-set")
	if err != nil {
		return reply{}, err
	}
	plan := ""
	for _, known := range plans() {
		if set != nil && set.ID == "fs-"+strings.ToLower(known) {
			plan = known
		}
	}
	if plan == "" {
		return reply{}, unprocessable("Feature set does not exist")
	}
	return noContent(), s.write("subscription changed", func() error {
		o := s.index.orgs[strings.ToLower(c.PathValue("organization"))]
		if o == nil {
			return notFound()
		}
		o.Plan = plan
		return nil
	})
}
