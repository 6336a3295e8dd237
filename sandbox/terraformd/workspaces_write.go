package terraformd

import (
	"regexp"
	"slices"
	"strings"

	goversion "github.com/hashicorp/go-version"
)

type workspaceInput struct {
	Name              optional[string]    `json:"name"`
	Description       optional[string]    `json:"description"`
	VCSRepo           optional[repoInput] `json:"vcs-repo"`
	AutoApply         optional[bool]      `json:"auto-apply"`
	AllowDestroyPlan  optional[bool]      `json:"allow-destroy-plan"`
	ExecutionMode     optional[string]    `json:"execution-mode"`
	FileTriggers      optional[bool]      `json:"file-triggers-enabled"`
	GlobalRemoteState optional[bool]      `json:"global-remote-state"`
	QueueAllRuns      optional[bool]      `json:"queue-all-runs"`
	Speculative       optional[bool]      `json:"speculative-enabled"`
	StructuredOutput  optional[bool]      `json:"structured-run-output-enabled"`
	TerraformVersion  optional[string]    `json:"terraform-version"`
	WorkingDirectory  optional[string]    `json:"working-directory"`
	TriggerPrefixes   optional[[]string]  `json:"trigger-prefixes"`
	TriggerPatterns   optional[[]string]  `json:"trigger-patterns"`
}

type repoInput struct {
	Branch       *string `json:"branch"`
	Identifier   *string `json:"identifier"`
	Submodules   *bool   `json:"ingress-submodules"`
	OAuthTokenID *string `json:"oauth-token-id"`
	TagsRegex    *string `json:"tags-regex"`
	GitHubApp    *string `json:"github-app-installation-id"`
}

// unusedSettings are documented attributes that the sandbox neither uses nor tells.
func unusedSettings() []string {
	return []string{
		"agent-pool-id", "assessments-enabled", "auto-apply-run-trigger", "auto-destroy-at", "auto-destroy-activity-duration",
		"inherits-project-auto-destroy", "project-remote-state", "migration-environment", "operations", "source-name",
		"source-url", "hyok-enabled", "setting-overwrites",
	}
}

func set[T any](field *T, in optional[T]) {
	if in.value != nil {
		*field = *in.value
	}
}

func (in workspaceInput) apply(w *workspace) error {
	set(&w.Name, in.Name)
	set(&w.Description, in.Description)
	set(&w.Settings.AutoApply, in.AutoApply)
	set(&w.Settings.AllowDestroyPlan, in.AllowDestroyPlan)
	set(&w.Settings.ExecutionMode, in.ExecutionMode)
	set(&w.Settings.FileTriggers, in.FileTriggers)
	set(&w.Settings.GlobalRemoteState, in.GlobalRemoteState)
	set(&w.Settings.QueueAllRuns, in.QueueAllRuns)
	set(&w.Settings.Speculative, in.Speculative)
	set(&w.Settings.StructuredOutput, in.StructuredOutput)
	set(&w.Settings.TerraformVersion, in.TerraformVersion)
	set(&w.Settings.WorkingDirectory, in.WorkingDirectory)
	set(&w.Settings.TriggerPrefixes, in.TriggerPrefixes)
	set(&w.Settings.TriggerPatterns, in.TriggerPatterns)
	if !slices.Contains([]string{"remote", "local", "agent"}, w.Settings.ExecutionMode) {
		return invalid("execution-mode", "Execution mode is not included in the list")
	}
	if !terraformVersion(w.Settings.TerraformVersion) {
		return invalid("terraform-version", "Terraform version is not a valid version or constraint") // Doubt: the text
	}
	return nil
}

// terraformVersion reports whether the text is a version, a constraint, or "latest".
// Doubt: whether there is such a release is not looked up.
func terraformVersion(text string) bool {
	if text == "latest" {
		return true
	}
	_, err := goversion.NewConstraint(text)
	return err == nil
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
	return nil
}

func (s *Server) createWorkspace(c call) (reply, error) {
	in, err := readBody[workspaceInput](s, c.Request, "workspaces", unusedSettings()...)
	if err != nil {
		return reply{}, err
	}
	made := &workspace{ID: newID("ws"), Settings: defaultSettings(), CreatedAt: s.now(), UpdatedAt: s.now()}
	if err := in.attributes.apply(made); err != nil {
		return reply{}, err
	}
	project, _, err := in.ref("project")
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
	return s.addWorkspace(o, made)
}

func (s *Server) addWorkspace(o *organization, made *workspace) (reply, error) {
	base, linked := s.address(), made.Repo != nil
	var document one
	err := s.write("workspace created", func() error {
		if s.index.orgs[strings.ToLower(o.Name)] != o {
			return notFound() // deleted while Bitbucket was asked
		}
		if err := o.check(made); err != nil { // again: Bitbucket was asked in between
			return err
		}
		o.Workspaces = append(o.Workspaces, made)
		s.index.addWorkspace(o, made)
		document.Data = s.renderWorkspace(base, o, made)
		return nil
	})
	if err == nil && linked {
		s.fetch(o, made)
	}
	return created(document), err
}

func (s *Server) updateWorkspace(c call) (reply, error) {
	in, err := readBody[workspaceInput](s, c.Request, "workspaces", unusedSettings()...)
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
		if err := in.attributes.apply(&changed); err != nil {
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
	if relinked && changed.Repo != nil {
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
		o.Workspaces = slices.DeleteFunc(o.Workspaces, func(w *workspace) bool { return w == gone })
		s.index.dropWorkspace(gone)
		return nil
	})
	if err == nil && gone.Repo != nil {
		s.unhook(o, gone.Repo)
	}
	return noContent(), err
}
