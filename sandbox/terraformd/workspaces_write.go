package terraformd

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

type workspaceInput struct {
	Name             optional[string]     `json:"name"`
	Description      optional[string]     `json:"description"`
	VCSRepo          optional[repoInput]  `json:"vcs-repo"`
	ExecutionMode    optional[string]     `json:"execution-mode"`
	Operations       optional[bool]       `json:"operations"`
	AgentPool        optional[string]     `json:"agent-pool-id"`
	Overwrites       optional[overwrites] `json:"setting-overwrites"`
	TerraformVersion optional[string]     `json:"terraform-version"`
	TriggerPrefixes  optional[[]string]   `json:"trigger-prefixes"`
	TriggerPatterns  optional[[]string]   `json:"trigger-patterns"`
}

type repoInput struct {
	Branch       *string `json:"branch"`
	Identifier   *string `json:"identifier"`
	Submodules   *bool   `json:"ingress-submodules"`
	OAuthTokenID *string `json:"oauth-token-id"`
	TagsRegex    *string `json:"tags-regex"`
	TagPrefix    *string `json:"tag-prefix"`
	Source       *string `json:"source-directory"`
	GitHubApp    *string `json:"github-app-installation-id"`
}

func set[T any](field *T, in optional[T]) {
	if in.value != nil {
		*field = *in.value
	}
}

func applyWorkspace(in body[workspaceInput], w *workspace) error {
	set(&w.Name, in.attributes.Name)
	set(&w.Description, in.attributes.Description)
	set(&w.Settings.TerraformVersion, in.attributes.TerraformVersion)
	w.Settings.Kept = w.Settings.Kept.with(in.settings)
	if err := in.attributes.execution(w); err != nil {
		return err
	}
	if err := in.attributes.triggers(w); err != nil {
		return err
	}
	if !terraformVersion(w.Settings.TerraformVersion) {
		return invalid("terraform-version", "Terraform version is not a valid version or constraint") // Doubt: the text
	}
	return nil
}

var workspaceName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,90}$`)

// check looks at name and project. The caller holds the lock.
func (o *organization) check(w *workspace) error {
	switch {
	case !workspaceName.MatchString(w.Name):
		return invalid("name", "Name can only include letters, numbers, -, and _")
	case slices.ContainsFunc(o.Workspaces, func(other *workspace) bool { return other.ID != w.ID && other.Name == w.Name }):
		return invalid("name", "Name has already been taken")
	case o.project(w.Project) == nil:
		return unprocessable("Project does not exist")
	}
	return o.checkExecution(w)
}

func (s *Server) createWorkspace(c call) (reply, error) {
	in, err := readBody[workspaceInput](s, c.Request, "workspaces", workspaceDefaults())
	if err != nil {
		return reply{}, err
	}
	made := &workspace{ID: newID("ws"), CreatedAt: s.now(), UpdatedAt: s.now()}
	made.Settings = workspaceSettings{TerraformVersion: "1.11.4", TriggerPrefixes: []string{}, TriggerPatterns: []string{}}
	if err := applyWorkspace(in, made); err != nil {
		return reply{}, err
	}
	project, _, err := in.ref("project")
	if err != nil {
		return reply{}, err
	}
	tags, err := in.tags()
	if err != nil {
		return reply{}, err
	}
	var o *organization
	err = s.read(func() error {
		o, err = s.organization(c.actor, c.PathValue("organization"), manageWorkspaces)
		if err != nil {
			return err
		}
		made.Project = o.defaultProject().ID
		if project != nil {
			made.Project = project.ID
		}
		return o.check(made)
	})
	if err != nil {
		return reply{}, err
	}
	if in.attributes.VCSRepo.value != nil {
		if made.Repo, err = s.link(c.Context(), place{o, made.Project}, *in.attributes.VCSRepo.value); err != nil {
			return reply{}, err
		}
	}
	return s.addWorkspace(o, made, tags)
}

func (s *Server) addWorkspace(o *organization, made *workspace, tags []tagRef) (reply, error) {
	base, linked := s.address(), made.Repo != nil
	var document one
	err := s.write("workspace created", func() error {
		if s.index.orgs[strings.ToLower(o.Name)] != o {
			return notFound() // deleted while Bitbucket was asked
		}
		if err := o.check(made); err != nil { // again: Bitbucket was asked in between
			return err
		}
		ids, err := o.tagIDs(tags, true)
		if err != nil {
			return err
		}
		made.Tags = ids
		o.Workspaces = append(o.Workspaces, made)
		s.index.addWorkspace(o, made)
		document.Data = s.renderWorkspace(base, o, made)
		return nil
	})
	if err == nil && linked && made.Repo.CloneURL != "" {
		s.fetch(o, made)
	}
	return created(document), err
}

func (s *Server) updateWorkspace(c call) (reply, error) {
	in, err := readBody[workspaceInput](s, c.Request, "workspaces", workspaceDefaults())
	if err != nil {
		return reply{}, err
	}
	project, _, err := in.ref("project")
	if err != nil {
		return reply{}, err
	}
	var o *organization
	var found *workspace
	var changed workspace
	err = s.read(func() error {
		if o, found, err = s.workspaceOf(c); err != nil {
			return err
		}
		changed = *found
		if project != nil {
			changed.Project = project.ID
		}
		if err := applyWorkspace(in, &changed); err != nil {
			return err
		}
		return o.check(&changed)
	})
	if err != nil {
		return reply{}, err
	}
	old := changed.Repo
	relinked := in.attributes.VCSRepo.set
	if relinked {
		if changed.Repo, err = s.relink(c.Context(), place{o, changed.Project}, changed.Repo, in.attributes.VCSRepo); err != nil {
			return reply{}, err
		}
	}
	return s.replaceWorkspace(o, found, changed, old, relinked)
}

func (s *Server) replaceWorkspace(o *organization, found *workspace, changed workspace, old *repo, relinked bool) (reply, error) {
	base := s.address()
	var document one
	err := s.write("workspace updated", func() error {
		if s.index.spaces[found.ID] != found {
			return notFound() // deleted while Bitbucket was asked
		}
		if err := o.check(&changed); err != nil {
			return err
		}
		changed.UpdatedAt, changed.Versions = s.now(), found.Versions
		if !relinked {
			changed.Repo = found.Repo
		}
		s.index.dropWorkspace(found)
		*found = changed
		s.index.addWorkspace(o, found)
		document.Data = s.renderWorkspace(base, o, found)
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	if relinked && old != nil && (changed.Repo == nil || changed.Repo.Hook != old.Hook) {
		s.unhook(o, old)
	}
	if relinked && changed.Repo != nil && changed.Repo.CloneURL != "" {
		s.fetch(o, found)
	}
	return ok(document), nil
}

func (s *Server) deleteWorkspace(c call) (reply, error) {
	var o *organization
	var gone *workspace
	err := s.write("workspace deleted", func() (err error) {
		if o, gone, err = s.workspaceOf(c); err != nil {
			return err
		}
		if gone.LockedBy != nil && c.Method == http.MethodPost { // the safe way
			return conflict("Workspace is currently locked. Workspace must be unlocked before it can be safely deleted")
		}
		o.Workspaces = slices.DeleteFunc(o.Workspaces, func(w *workspace) bool { return w == gone })
		s.index.dropWorkspace(gone)
		return nil
	})
	if err == nil && gone.Repo != nil {
		s.unhook(o, gone.Repo)
	}
	return noContent(), err
}
