package bitbucketd

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

type projectBody struct {
	Key         string `json:"key"`
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Public      bool   `json:"public"`
	Type        string `json:"type"`
	Links       hrefs  `json:"links"`
}

func (c *call) projectBody(p *Project) projectBody {
	kind, path := "NORMAL", "/projects/"+p.Key
	if p.Owner != "" {
		kind, path = "PERSONAL", "/users/"+strings.ToLower(p.Key[1:])
	}
	return projectBody{Key: p.Key, ID: p.ID, Name: p.Name, Description: p.Description, Public: p.Public, Type: kind, Links: c.self(path)}
}

type repoBody struct {
	Slug          string      `json:"slug"`
	ID            int         `json:"id"`
	Name          string      `json:"name"`
	Description   string      `json:"description,omitempty"`
	ScmID         string      `json:"scmId"`
	State         string      `json:"state"`
	StatusMessage string      `json:"statusMessage"`
	Forkable      bool        `json:"forkable"`
	Archived      *bool       `json:"archived,omitempty"`
	Project       projectBody `json:"project"`
	Public        bool        `json:"public"`
	Links         repoLinks   `json:"links"`
}

type repoLinks struct {
	Clone []href `json:"clone"`
	Self  []href `json:"self"`
}

func (c *call) repoBody(p *Project, r *Repo) repoBody {
	path := strings.ToLower(p.Key) + "/" + r.Slug + ".git"
	clone := []href{{Name: "http", Href: c.base.String() + "/scm/" + path}}
	if !c.st.Settings.SSHDisabled {
		clone = append(clone, href{Name: "ssh", Href: c.ssh.url("git@") + "/" + path})
	}
	if r.ID%2 == 0 { // the order varies on the real server
		slices.Reverse(clone)
	}
	self := c.self("/projects/" + p.Key + "/repos/" + r.Slug + "/browse").Self
	var archived *bool
	if c.version.hasArchive() {
		archived = &r.Archived
	}
	return repoBody{
		Archived: archived, Slug: r.Slug, ID: r.ID, Name: r.Name, Description: r.Description, ScmID: "git", State: "AVAILABLE", StatusMessage: "Available",
		Forkable: !r.NoForks, Project: c.projectBody(p), Public: r.Public, Links: repoLinks{Clone: clone, Self: self},
	}
}

func (st *State) projectsSorted() []*Project {
	return slices.SortedFunc(maps.Values(st.Projects), func(a, b *Project) int { return cmp.Compare(a.Key, b.Key) })
}

func (p *Project) reposSorted() []*Repo {
	return slices.SortedFunc(maps.Values(p.Repos), func(a, b *Repo) int { return cmp.Compare(a.Slug, b.Slug) })
}

func listProjects(c *call) (reply, error) {
	if err := c.mayList(); err != nil {
		return reply{}, err
	}
	want, err := c.asked(projectScope)
	if err != nil {
		return reply{}, err
	}
	var list []projectBody
	for _, p := range c.st.projectsSorted() {
		if c.st.seesProject(c.who.user, p) && c.projectRank(p) >= want &&
			strings.Contains(strings.ToLower(p.Name), strings.ToLower(c.query("name"))) {
			list = append(list, c.projectBody(p))
		}
	}
	return paged(c, list)
}

// asked returns the rank of the query's permission, 0 if there is none.
func (c *call) asked(of scope) (int, error) {
	text := c.query("permission")
	if text == "" {
		return 0, nil
	}
	kind, rank := Permission(text).split()
	if kind != of {
		return 0, refuseField("permission", "Unknown permission %q.", text)
	}
	return rank, nil
}

func getProject(c *call) (reply, error) {
	p, err := c.project("")
	if err != nil {
		return reply{}, err
	}
	return reply{body: c.projectBody(p)}, nil
}

// wellFormedKey reports whether the text can be a project's key.
func wellFormedKey(key string) bool {
	return regexp.MustCompile(`^~?[A-Za-z][A-Za-z0-9_\-.]{0,127}$`).MatchString(key)
}

func createProject(c *call) (reply, error) {
	if err := c.global(ProjectCreate); err != nil {
		return reply{}, err
	}
	var in projectInput
	if err := c.decodeEntity(&in); err != nil {
		return reply{}, err
	}
	if in.Name == "" {
		in.Name = in.Key
	}
	if !wellFormedKey(in.Key) || in.Key[0] == '~' {
		return reply{}, refuseField("key", "%q is no valid project key.", in.Key)
	}
	key := strings.ToUpper(in.Key)
	if c.st.Projects[key] != nil {
		return reply{}, refuse(http.StatusConflict, duplicateProject, "This project key is already in use.")
	}
	p := c.st.addProject(key, in.Name)
	set(&p.Public, in.Public)
	set(&p.Description, in.Description)
	p.Grants.Users[strings.ToLower(c.who.user.Name)] = ProjectAdmin
	c.wrote("project %s created", key)
	return reply{status: http.StatusCreated, body: c.projectBody(p)}, nil
}

func (st *State) addProject(key, name string) *Project {
	p := &Project{ID: st.nextID(), Key: key, Name: name, Repos: map[string]*Repo{}}
	p.Grants.fill()
	st.Projects[key] = p
	return p
}

// listRepos serves GET /repos: of all projects, with filters by name and permission.
func listRepos(c *call) (reply, error) {
	if err := c.mayList(); err != nil {
		return reply{}, err
	}
	want, err := c.asked(repoScope)
	if err != nil {
		return reply{}, err
	}
	var list []repoBody
	for _, p := range c.st.projectsSorted() {
		if !c.wantsProject(p) {
			continue
		}
		for _, r := range p.reposSorted() {
			if name := strings.TrimSpace(c.query("name")); name != "" && !strings.EqualFold(name, r.Name) {
				continue
			}
			if c.repoRank(p, r) >= max(1, want) && c.wantsArchived(r.Archived) {
				list = append(list, c.repoBody(p, r))
			}
		}
	}
	return paged(c, list)
}

// wantsArchived reports whether the query lets an archived repository, or one that is
// not, through. By default archived ones are left out.
func (c *call) wantsArchived(archived bool) bool {
	if !c.version.hasArchive() {
		return true
	}
	switch strings.ToUpper(c.query("archived")) {
	case "ALL":
		return true
	case "ARCHIVED":
		return archived
	}
	return !archived
}

// wantsProject reports whether the query's project filters let the project through.
// Before 8.0 the filter by key does not exist, and is ignored as any unknown one.
func (c *call) wantsProject(p *Project) bool {
	key, name := strings.TrimSpace(c.query("projectkey")), strings.TrimSpace(c.query("projectname"))
	if key != "" && c.version.hasProjectKeyArg() && !strings.EqualFold(key, p.Key) {
		return false
	}
	return name == "" || strings.EqualFold(name, p.Name)
}

func listProjectRepos(c *call) (reply, error) {
	if err := c.mayList(); err != nil {
		return reply{}, err
	}
	p, err := c.project("")
	if err != nil {
		return reply{}, err
	}
	var list []repoBody
	for _, r := range p.reposSorted() {
		if c.repoRank(p, r) > 0 {
			list = append(list, c.repoBody(p, r))
		}
	}
	return paged(c, list)
}

func getRepo(c *call) (reply, error) {
	p, r, err := c.repo(RepoRead)
	if err != nil {
		return reply{}, err
	}
	return reply{body: c.repoBody(p, r)}, nil
}

// newRepo is what counts of what a caller sends to create a repository. The slug follows from the
// name, and the project from the path, whatever is sent.
type newRepo struct {
	Name        string `json:"name"`
	ScmID       string `json:"scmId"`
	Description string `json:"description"`
	Forkable    *bool  `json:"forkable"`
	Public      bool   `json:"public"`
}

func createRepo(c *call) (reply, error) {
	p, err := c.project(ProjectAdmin)
	if err != nil {
		return reply{}, err
	}
	var in newRepo
	if err := c.decodeEntity(&in); err != nil {
		return reply{}, err
	}
	slug := slugOf(in.Name)
	if slug == "" || in.ScmID != "" && in.ScmID != "git" {
		return reply{}, refuseField("name", "The repository needs a name, and git.")
	}
	if p.Repos[slug] != nil {
		return reply{}, refuse(http.StatusConflict, duplicateRepo, "This repository URL is already taken.")
	}
	r, err := c.addRepo(p, in.Name)
	if err != nil {
		return reply{}, err
	}
	r.Public, r.Description, r.NoForks = in.Public, in.Description, in.Forkable != nil && !*in.Forkable
	c.wrote("repository %s/%s created", p.Key, r.Slug)
	return reply{status: http.StatusCreated, body: c.repoBody(p, r)}, nil
}

// slugOf returns the slug of a repository's name.
func slugOf(name string) string {
	return strings.Trim(regexp.MustCompile(`[^a-z0-9\-_.]+`).ReplaceAllString(strings.ToLower(name), "-"), "-.")
}

// deleteRepo forgets the repository; its folder stays until the sandbox ends.
func deleteRepo(c *call) (reply, error) {
	p := c.st.Projects[strings.ToUpper(c.r.PathValue("project"))]
	if p == nil || p.Repos[strings.ToLower(c.r.PathValue("repo"))] == nil {
		if err := c.licensed(); err != nil {
			return reply{}, err
		}
		return reply{status: http.StatusNoContent}, nil
	}
	_, r, err := c.repo(RepoAdmin)
	if err != nil {
		return reply{}, err
	}
	delete(p.Repos, r.Slug)
	c.wrote("repository %s/%s deleted", p.Key, r.Slug)
	return reply{status: http.StatusAccepted, body: struct {
		Context string `json:"context"`
		Message string `json:"message"`
	}{Message: "Repository scheduled for deletion."}}, nil
}
