package terraformd

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// workspaceRelations: other workspaces may read this one's state.
func workspaceRelations() relationKinds {
	return relationKinds{"remote-state-consumers": "workspaces"}
}

type workspaceAttributes struct {
	Name              string               `json:"name"`
	Description       string               `json:"description"`
	ExecutionMode     string               `json:"execution-mode"`
	TerraformVersion  string               `json:"terraform-version"`
	TriggerPrefixes   []string             `json:"trigger-prefixes"`
	TriggerPatterns   []string             `json:"trigger-patterns"`
	TagNames          []string             `json:"tag-names"`
	SettingOverwrites overwrites           `json:"setting-overwrites"`
	Actions           workspaceActions     `json:"actions"`
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

type workspaceActions struct {
	IsDestroyable bool `json:"is-destroyable"`
}

type workspacePermissions struct {
	CanUpdate         bool `json:"can-update"`
	CanDestroy        bool `json:"can-destroy"`
	CanReadSettings   bool `json:"can-read-settings"`
	CanForceDelete    bool `json:"can-force-delete"`
	CanLock           bool `json:"can-lock"`
	CanUnlock         bool `json:"can-unlock"`
	CanForceUnlock    bool `json:"can-force-unlock"`
	CanManageRunTasks bool `json:"can-manage-run-tasks"`
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
	TagPrefix         string `json:"tag-prefix"`
	SourceDirectory   string `json:"source-directory"`
	Tags              bool   `json:"tags"`
	WebhookURL        string `json:"webhook-url"`
}

func hookURL(base string, r *repo) string { return base + "/webhooks/vcs/" + r.Hook }

func (s *Server) renderWorkspace(base string, o *organization, w *workspace) resource {
	own := w.Settings.ExecutionMode != ""
	attributes := workspaceAttributes{
		Name: w.Name, Description: w.Description, ExecutionMode: o.mode(w), TerraformVersion: w.Settings.TerraformVersion,
		TriggerPrefixes: w.Settings.TriggerPrefixes, TriggerPatterns: w.Settings.TriggerPatterns, TagNames: o.tagNames(w),
		SettingOverwrites: overwrites{ExecutionMode: &own, AgentPool: &own}, Actions: workspaceActions{IsDestroyable: true},
		Operations: o.mode(w) != "local", Locked: w.LockedBy != nil, Source: "tfe-api", CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
		Permissions: workspacePermissions{true, true, true, true, true, true, true, true},
	}
	relationships := o.relations(nil, nil)
	relationships["project"] = toOne("projects", w.Project)
	relationships["agent-pool"] = toOne("agent-pools", o.pool(w))
	relationships["tags"] = toMany("tags", w.Tags...)
	if w.LockedBy != nil {
		relationships["locked-by"] = toOne(w.LockedBy.Type, w.LockedBy.ID)
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
		ID: w.ID, Type: "workspaces", Attributes: settled{attributes, workspaceDefaults(), w.Settings.Kept}, Relationships: relationships,
		Links: map[string]string{
			"self":      "/api/v2/organizations/" + o.Name + "/workspaces/" + w.Name,
			"self-html": "/app/" + o.Name + "/workspaces/" + w.Name,
		},
	}
}

func (s *Server) renderRepo(base string, r *repo) *repoAttributes {
	shown := &repoAttributes{
		Branch: r.Branch, Identifier: r.Identifier, DisplayIdentifier: r.Identifier, IngressSubmodules: r.Submodules,
		OAuthTokenID: r.Token, RepositoryHTTPURL: r.HTTPURL, TagsRegex: r.TagsRegex, Tags: r.TagsRegex != "",
		TagPrefix: r.TagPrefix, SourceDirectory: r.Source, WebhookURL: hookURL(base, r),
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
			found = o.workspaces(q)
		}
		document = page(p, found, func(w *workspace) resource { return s.renderWorkspace(base, o, w) })
		return nil
	})
	return ok(document), err
}

// workspaces are those that a search finds, by name.
func (o *organization) workspaces(q url.Values) []*workspace {
	wildcard, project := q.Get("search[wildcard-name]"), q.Get("filter[project][id]")
	words := func(name string) []string {
		return strings.FieldsFunc(q.Get(name), func(r rune) bool { return r == ',' })
	}
	found := slices.DeleteFunc(slices.Clone(o.Workspaces), func(w *workspace) bool {
		has := func(name string) bool { return slices.Contains(o.tagNames(w), name) }
		hasNot := func(name string) bool { return !has(name) }
		return !containsFold(w.Name, q.Get("search[name]")) || project != "" && w.Project != project ||
			wildcard != "" && !fits(strings.ToLower(w.Name), strings.ToLower(wildcard)) ||
			slices.ContainsFunc(words("search[tags]"), hasNot) || slices.ContainsFunc(words("search[exclude-tags]"), has)
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
