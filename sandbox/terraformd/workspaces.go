package terraformd

import (
	"slices"
	"strings"
	"time"
)

// workspaceSettings are kept and told but have no effect: the sandbox runs nothing.
type workspaceSettings struct {
	AutoApply         bool     `json:"auto-apply"`
	AllowDestroyPlan  bool     `json:"allow-destroy-plan"`
	ExecutionMode     string   `json:"execution-mode"`
	FileTriggers      bool     `json:"file-triggers-enabled"`
	GlobalRemoteState bool     `json:"global-remote-state"`
	QueueAllRuns      bool     `json:"queue-all-runs"`
	Speculative       bool     `json:"speculative-enabled"`
	StructuredOutput  bool     `json:"structured-run-output-enabled"`
	TerraformVersion  string   `json:"terraform-version"`
	WorkingDirectory  string   `json:"working-directory"`
	TriggerPrefixes   []string `json:"trigger-prefixes"`
	TriggerPatterns   []string `json:"trigger-patterns"`
}

func defaultSettings() workspaceSettings {
	return workspaceSettings{
		AllowDestroyPlan: true, ExecutionMode: "remote", FileTriggers: true, Speculative: true, StructuredOutput: true,
		TerraformVersion: "1.11.4", TriggerPrefixes: []string{}, TriggerPatterns: []string{},
	}
}

type workspaceAttributes struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	workspaceSettings
	Operations        bool                 `json:"operations"`
	Locked            bool                 `json:"locked"`
	Source            string               `json:"source"`
	CreatedAt         time.Time            `json:"created-at"`
	UpdatedAt         time.Time            `json:"updated-at"`
	ResourceCount     int                  `json:"resource-count"`
	VCSRepo           *repoAttributes      `json:"vcs-repo"`
	VCSRepoIdentifier *string              `json:"vcs-repo-identifier"`
	Permissions       workspacePermissions `json:"permissions"`
}

type workspacePermissions struct {
	CanUpdate       bool `json:"can-update"`
	CanDestroy      bool `json:"can-destroy"`
	CanReadSettings bool `json:"can-read-settings"`
	CanForceDelete  bool `json:"can-force-delete"`
}

type repoAttributes struct {
	Branch            string `json:"branch"`
	Identifier        string `json:"identifier"`
	DisplayIdentifier string `json:"display-identifier"`
	IngressSubmodules bool   `json:"ingress-submodules"`
	OAuthTokenID      string `json:"oauth-token-id"`
	RepositoryHTTPURL string `json:"repository-http-url"`
	ServiceProvider   string `json:"service-provider"`
	TagsRegex         string `json:"tags-regex"`
	Tags              bool   `json:"tags"`
	WebhookURL        string `json:"webhook-url"`
}

func hookURL(base string, r *repo) string { return base + "/webhooks/vcs/" + r.Hook }

func (s *Server) renderWorkspace(base string, o *organization, w *workspace) resource {
	attributes := workspaceAttributes{
		Name: w.Name, Description: w.Description, workspaceSettings: w.Settings,
		Operations: w.Settings.ExecutionMode != "local", Source: "tfe-api", CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
		Permissions: workspacePermissions{CanUpdate: true, CanDestroy: true, CanReadSettings: true, CanForceDelete: true},
	}
	relationships := map[string]relation{
		"organization": toOne("organizations", o.Name),
		"project":      toOne("projects", w.Project),
	}
	if w.Repo != nil {
		attributes.VCSRepo = s.renderRepo(base, w.Repo)
		attributes.VCSRepoIdentifier = &w.Repo.Identifier
	}
	if v := w.fetched(); v != nil {
		relationships["current-configuration-version"] = toOne("configuration-versions", v.ID).
			linked("/api/v2/configuration-versions/" + v.ID)
	}
	return resource{
		ID: w.ID, Type: "workspaces", Attributes: attributes, Relationships: relationships,
		Links: map[string]string{"self": "/api/v2/organizations/" + o.Name + "/workspaces/" + w.Name},
	}
}

func (s *Server) renderRepo(base string, r *repo) *repoAttributes {
	shown := &repoAttributes{
		Branch: r.Branch, Identifier: r.Identifier, DisplayIdentifier: r.Identifier, IngressSubmodules: r.Submodules,
		OAuthTokenID: r.Token, RepositoryHTTPURL: r.HTTPURL, TagsRegex: r.TagsRegex, Tags: r.TagsRegex != "",
		WebhookURL: hookURL(base, r),
	}
	if c := s.index.client[r.Token]; c != nil {
		shown.ServiceProvider = c.ServiceProvider
	}
	return shown
}

// fetched is the newest configuration version that arrived, nil if none did.
func (w *workspace) fetched() *configuration {
	for _, v := range slices.Backward(w.Versions) {
		if v.Status == statusUploaded {
			return v
		}
	}
	return nil
}

func (s *Server) listWorkspaces(c call) (reply, error) {
	p, base, q := s.pager(c.Request), s.address(), c.URL.Query()
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		var found []*workspace
		// A token sees its own workspaces alone. Per-workspace permissions of teams
		// are not modelled: who does not manage workspaces sees none.
		if access, _ := c.actor.access(o); access.ManageWorkspaces {
			found = o.workspaces(q.Get("search[name]"), q.Get("search[wildcard-name]"), q.Get("filter[project][id]"))
		}
		document = page(p, found, func(w *workspace) resource { return s.renderWorkspace(base, o, w) })
		return nil
	})
	return ok(document), err
}

func (o *organization) workspaces(part, wildcard, project string) []*workspace {
	found := slices.DeleteFunc(slices.Clone(o.Workspaces), func(w *workspace) bool {
		return !strings.Contains(w.Name, part) || project != "" && w.Project != project || wildcard != "" && !fits(w.Name, wildcard)
	})
	slices.SortFunc(found, func(a, b *workspace) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// fits matches a name against a pattern with a * at its begin, its end, or both.
func fits(name, pattern string) bool {
	bare := strings.Trim(pattern, "*")
	switch begin, end := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*"); {
	case begin && end:
		return strings.Contains(name, bare)
	case begin:
		return strings.HasSuffix(name, bare)
	case end:
		return strings.HasPrefix(name, bare)
	}
	return name == pattern
}

// workspaceOf finds a workspace by organization and name, or by id. The caller
// holds the lock.
func (s *Server) workspaceOf(c call) (*organization, *workspace, error) {
	id := c.PathValue("workspace")
	if name := c.PathValue("organization"); name != "" {
		o, err := s.organization(c.actor, name, manageWorkspaces)
		if err != nil {
			return nil, nil, err
		}
		for _, w := range o.Workspaces {
			if w.Name == id {
				return o, w, nil
			}
		}
		return nil, nil, notFound()
	}
	o, err := s.ownerOf(c.actor, id, manageWorkspaces)
	if err != nil {
		return nil, nil, err
	}
	w := s.index.spaces[id]
	if w == nil || w.ID != id {
		return nil, nil, notFound()
	}
	return o, w, nil
}

func (s *Server) readWorkspace(c call) (reply, error) {
	base := s.address()
	var document one
	err := s.read(func() error {
		o, w, err := s.workspaceOf(c)
		if err == nil {
			document.Data = s.renderWorkspace(base, o, w)
		}
		return err
	})
	return ok(document), err
}
