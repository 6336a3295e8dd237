package bitbucketd

import (
	"fmt"
	"net/http"
	"strings"
)

const repositoryMoved = "com.atlassian.bitbucket.repository.RepositoryMovedException"

// MoveRepo moves a repository to another project, or gives it another name, as its
// administrator does. Anyone who asks for it by its old name is told where it is.
func (s *Server) MoveRepo(project, slug, toProject, toName string) error {
	return s.Change(fmt.Sprintf("moving repository %s/%s", project, slug), func(st *State) error {
		r, to := st.Repo(project, slug), st.Projects[strings.ToUpper(toProject)]
		newSlug := slugOf(toName)
		if r == nil || to == nil || newSlug == "" || to.Repos[newSlug] != nil {
			return fmt.Errorf("no such repository or project, or the name is taken")
		}
		delete(st.Projects[strings.ToUpper(project)].Repos, r.Slug)
		if st.Moved == nil {
			st.Moved = map[string]string{}
		}
		st.Moved[strings.ToUpper(project)+"/"+r.Slug] = to.Key + "/" + newSlug
		r.Slug, r.Name = newSlug, toName
		to.Repos[newSlug] = r
		return nil
	})
}

// moved returns the refusal for a repository that was moved, nil if it was not: a
// redirect. Doubt: the status was not seen; plugins' resources answer 409 or 500
// with the exception, as Settings.MovedStatus can have it.
func (c *call) moved(project, slug string) error {
	to, ok := c.st.Moved[strings.ToUpper(project)+"/"+strings.ToLower(slug)]
	if !ok {
		return nil
	}
	status := c.st.Settings.MovedStatus
	if status == 0 {
		status = http.StatusMovedPermanently
	}
	rep := coreError(status, "", repositoryMoved, "The repository has been moved to "+to+".")
	if status < 400 {
		newProject, newSlug, _ := strings.Cut(to, "/")
		rep.header = http.Header{"Location": {c.base.String() + "/rest/api/1.0/projects/" + newProject + "/repos/" + newSlug}}
	}
	return &refusal{rep}
}
