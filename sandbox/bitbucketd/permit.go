package bitbucketd

import (
	"net/http"
	"strings"
)

// What the caller may do. Each function returns the refusal to answer with, or nil.
// Bitbucket says 401 also to those it knows.

// licensed lets everyone in who may use Bitbucket.
func (c *call) licensed() error {
	if c.st.globalRank(c.who.user) < LicensedUser.rank() {
		return forbid()
	}
	return nil
}

// mayList lets in those who may list repositories and projects: everybody but users
// without a licence, who get an empty 401, as was seen on GET /repos.
func (c *call) mayList() error {
	if c.who.user != nil && c.st.globalRank(c.who.user) == 0 {
		return &refusal{reply{status: http.StatusUnauthorized}}
	}
	return nil
}

// global asks for a global permission. HTTP access tokens never carry one.
func (c *call) global(p Permission) error {
	if c.globalRank() < p.rank() {
		return forbid()
	}
	return nil
}

func (c *call) globalRank() int {
	rank := c.st.globalRank(c.who.user)
	if c.who.by == byToken {
		return min(rank, LicensedUser.rank())
	}
	return rank
}

// projectRank is the caller's effective rank, within what its token may do.
func (c *call) projectRank(p *Project) int {
	rank := c.st.projectRank(c.who.user, p)
	if c.who.by == byToken {
		return min(rank, c.who.token.ceiling(projectScope))
	}
	return rank
}

func (c *call) repoRank(p *Project, r *Repo) int {
	rank := c.st.repoRank(c.who.user, p, r)
	if c.who.by == byToken {
		return min(rank, c.who.token.ceiling(repoScope))
	}
	return rank
}

// project returns the project of the path, for a caller with at least that permission
// ("": may know of it).
func (c *call) project(p Permission) (*Project, error) {
	key := c.r.PathValue("project")
	if err := c.moved(key, ""); err != nil {
		return nil, err
	}
	project := c.st.Projects[strings.ToUpper(key)]
	if project == nil {
		return nil, refuse(http.StatusNotFound, noSuchProjectException, "Project %s does not exist.", key)
	}
	if !c.st.seesProject(c.who.user, project) || c.projectRank(project) < p.rank() {
		return nil, forbid()
	}
	return project, nil
}

// repo returns the repository of the path and its project.
func (c *call) repo(p Permission) (*Project, *Repo, error) {
	key, slug := c.r.PathValue("project"), c.r.PathValue("repo")
	if err := c.moved(key, slug); err != nil {
		return nil, nil, err
	}
	project := c.st.Projects[strings.ToUpper(key)]
	if project == nil {
		return nil, nil, refuse(http.StatusNotFound, noSuchProjectException, "Project %s does not exist.", key)
	}
	repo := project.Repos[strings.ToLower(slug)]
	if repo == nil {
		return nil, nil, refuse(http.StatusNotFound, noSuchRepoException, "Repository %s/%s does not exist.", project.Key, slug)
	}
	if c.repoRank(project, repo) < p.rank() {
		return nil, nil, forbid()
	}
	if err := c.frozen(project, repo); err != nil {
		return nil, nil, err
	}
	return project, repo, nil
}

// named returns the user of the query parameter.
func (c *call) named(param string) (*User, error) {
	name := c.query(param)
	if name == "" {
		return nil, refuseField(param, "A %s is required.", param)
	}
	u := c.st.User(name)
	if u == nil {
		return nil, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", name)
	}
	return u, nil
}
