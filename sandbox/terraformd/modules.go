package terraformd

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

type moduleAttributes struct {
	Name                string            `json:"name"`
	Namespace           string            `json:"namespace"`
	Provider            string            `json:"provider"`
	RegistryName        string            `json:"registry-name"`
	Status              string            `json:"status"`
	PublishingMechanism string            `json:"publishing-mechanism"`
	NoCode              bool              `json:"no-code"`
	VersionStatuses     []string          `json:"version-statuses"`
	VCSRepo             *repoAttributes   `json:"vcs-repo"`
	Permissions         modulePermissions `json:"permissions"`
	CreatedAt           time.Time         `json:"created-at"`
	UpdatedAt           time.Time         `json:"updated-at"`
}

type modulePermissions struct {
	CanDelete bool `json:"can-delete"`
	CanResync bool `json:"can-resync"`
	CanRetry  bool `json:"can-retry"`
}

// renderModule shows a module as one whose repository has no tags: the sandbox
// makes no versions.
func (s *Server) renderModule(base string, o *organization, m *registryModule) resource {
	path := "/api/v2/organizations/" + o.Name + "/registry-modules/private/" + o.Name + "/" + m.Name + "/" + m.Provider
	repository, publishing := s.renderRepo(base, m.Repo), "branch"
	if m.Repo.Branch == "" {
		repository.Tags, publishing = true, "git_tag"
	}
	return resource{
		ID: m.ID, Type: "registry-modules",
		Attributes: moduleAttributes{
			Name: m.Name, Namespace: o.Name, Provider: m.Provider, RegistryName: "private", Status: "no_version_tags",
			PublishingMechanism: publishing, VersionStatuses: []string{}, VCSRepo: repository,
			Permissions: modulePermissions{CanDelete: true, CanResync: true, CanRetry: true}, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
		},
		Relationships: map[string]relation{"organization": toOne("organizations", o.Name)},
		Links:         map[string]string{"self": path},
	}
}

// listModules shows the organization's modules to each of its members.
func (s *Server) listModules(c call) (reply, error) {
	if s.opts.Missing.RegistryModules {
		return reply{}, notFound()
	}
	p, base, q := s.pager(c.Request), s.address(), c.URL.Query()
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		found := slices.DeleteFunc(slices.Clone(o.Modules), func(m *registryModule) bool {
			provider := q.Get("filter[provider]")
			return provider != "" && m.Provider != provider || !containsFold(m.Name+" "+m.Provider, q.Get("q"))
		})
		document = page(p, found, func(m *registryModule) resource { return s.renderModule(base, o, m) })
		return nil
	})
	return ok(document), err
}

type moduleInput struct {
	Name     optional[string]          `json:"name"`
	Provider optional[string]          `json:"provider"`
	VCSRepo  optional[moduleRepoInput] `json:"vcs-repo"`
}

type moduleRepoInput struct {
	Identifier        *string `json:"identifier"`
	DisplayIdentifier *string `json:"display-identifier"`
	OAuthTokenID      *string `json:"oauth-token-id"`
	GitHubApp         *string `json:"github-app-installation-id"`
	OrganizationName  *string `json:"organization-name"`
	Branch            *string `json:"branch"`
	Tags              *bool   `json:"tags"`
}

// repository is what the module is linked to. Submodules are always cloned, as
// go-tfe's tests have it.
func (in moduleInput) repository() (repoInput, error) {
	r := in.VCSRepo.value
	switch {
	case r == nil:
		return repoInput{}, invalid("vcs-repo", "VCS repository can't be blank")
	case r.DisplayIdentifier == nil || *r.DisplayIdentifier == "":
		return repoInput{}, invalid("vcs-repo/display-identifier", "Display identifier can't be blank")
	case r.Tags != nil && *r.Tags && r.Branch != nil && *r.Branch != "":
		return repoInput{}, invalid("vcs-repo/branch", "Branch must be empty when tags are enabled")
	}
	return repoInput{Identifier: r.Identifier, OAuthTokenID: r.OAuthTokenID, GitHubApp: r.GitHubApp, Branch: r.Branch, Submodules: new(true)}, nil
}

var moduleRepository = regexp.MustCompile(`^[^/]+/terraform-([A-Za-z0-9]+)-([A-Za-z0-9_-]+)$`)

// named names the module after its repository, where the request does not.
func (in moduleInput) named(m *registryModule, identifier string) error {
	if parts := moduleRepository.FindStringSubmatch(identifier); parts != nil {
		m.Provider, m.Name = parts[1], parts[2]
	}
	set(&m.Name, in.Name)
	set(&m.Provider, in.Provider)
	if !workspaceName.MatchString(m.Name) || !workspaceName.MatchString(m.Provider) {
		return invalid("name", "Name and provider must be given, or the repository be named terraform-<PROVIDER>-<NAME>")
	}
	return nil
}

// checkModule looks whether the name is free. The caller holds the lock.
func (o *organization) checkModule(m *registryModule) error {
	if slices.ContainsFunc(o.Modules, func(other *registryModule) bool { return other.Name == m.Name && other.Provider == m.Provider }) {
		return invalid("name", "Name has already been taken")
	}
	return nil
}

// moduleOrganization is the one that the path names. Without one in the path, as
// older clients and go-tfe ask, it is the one whose token is to be used. The caller
// holds the lock.
func (s *Server) moduleOrganization(c call, token *string) (*organization, error) {
	if name := c.PathValue("organization"); name != "" || token == nil {
		return s.organization(c.actor, name, manageModules)
	}
	o := s.index.owner[*token]
	if o == nil {
		return nil, unprocessable("OAuth token does not exist")
	}
	return o, c.actor.allowed(o, manageModules)
}

// moduleSettings have no effect here: modules have no versions.
func moduleSettings() defaults {
	return defaults{"initial-version": "null", "test-config": "null", "no-code": "false"}
}

func (s *Server) createModule(c call) (reply, error) {
	in, err := readBody[moduleInput](s, c.Request, "registry-modules", moduleSettings())
	if err != nil {
		return reply{}, err
	}
	repository, err := in.attributes.repository()
	if err != nil {
		return reply{}, err
	}
	made := &registryModule{ID: newID("mod"), CreatedAt: s.now(), UpdatedAt: s.now()}
	if repository.Identifier != nil {
		if err := in.attributes.named(made, *repository.Identifier); err != nil {
			return reply{}, err
		}
	}
	var o *organization
	err = s.read(func() error {
		if o, err = s.moduleOrganization(c, repository.OAuthTokenID); err != nil {
			return err
		}
		return o.checkModule(made)
	})
	if err != nil {
		return reply{}, err
	}
	if made.Repo, err = s.link(c.Context(), place{organization: o}, repository); err != nil {
		return reply{}, err
	}
	return s.addModule(o, made)
}

func (s *Server) addModule(o *organization, made *registryModule) (reply, error) {
	base := s.address()
	var document one
	err := s.write("registry module created", func() error {
		if s.index.orgs[strings.ToLower(o.Name)] != o {
			return notFound() // deleted while Bitbucket was asked
		}
		if err := o.checkModule(made); err != nil { // again: Bitbucket was asked in between
			return err
		}
		o.Modules = append(o.Modules, made)
		document.Data = s.renderModule(base, o, made)
		return nil
	})
	return created(document), err
}

// moduleOf finds the module that a path names. The caller holds the lock.
func (s *Server) moduleOf(c call, asks permission) (*organization, *registryModule, error) {
	o, err := s.organization(c.actor, c.PathValue("organization"), asks)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(o.Modules, func(m *registryModule) bool {
		return strings.EqualFold(o.Name, c.PathValue("namespace")) && m.Name == c.PathValue("name") && m.Provider == c.PathValue("provider")
	})
	if i < 0 || s.opts.Missing.RegistryModules {
		return nil, nil, notFound()
	}
	return o, o.Modules[i], nil
}

func (s *Server) readModule(c call) (reply, error) {
	base := s.address()
	var document one
	err := s.read(func() error {
		o, m, err := s.moduleOf(c, seeOrganization)
		if err == nil {
			document.Data = s.renderModule(base, o, m)
		}
		return err
	})
	return ok(document), err
}

func (s *Server) deleteModule(c call) (reply, error) {
	var o *organization
	var gone *registryModule
	err := s.write("registry module deleted", func() (err error) {
		if o, gone, err = s.moduleOf(c, manageModules); err != nil {
			return err
		}
		o.Modules = slices.DeleteFunc(o.Modules, func(m *registryModule) bool { return m == gone })
		return nil
	})
	if err == nil && gone.Repo != nil {
		s.unhook(o, gone.Repo)
	}
	return noContent(), err
}
