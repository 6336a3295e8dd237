package bitbucketd

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	repositoryMoved = "com.atlassian.bitbucket.repository.RepositoryMovedException"
	projectMoved    = "com.atlassian.bitbucket.project.ProjectMovedException"
)

// MoveRepo moves a repository to another project, or gives it another name, as its
// administrator does. Anyone who asks for it by its old name is told where it is.
func (s *Server) MoveRepo(project, slug, toProject, toName string) error {
	return s.Change(fmt.Sprintf("moving repository %s/%s", project, slug), func(st *State) error {
		r, to := st.Repo(project, slug), st.Projects[strings.ToUpper(toProject)]
		newSlug := slugOf(toName)
		if r == nil || to == nil || newSlug == "" || to.Repos[newSlug] != nil {
			return fmt.Errorf("no such repository or project, or the name is taken")
		}
		r.Name = toName
		st.moveRepo(st.Projects[strings.ToUpper(project)], r, to, newSlug)
		return nil
	})
}

// MoveProject gives a project another key, as its administrator does: the project and its
// repositories are found by the old key no more, and are told to have moved.
func (s *Server) MoveProject(key, newKey string) error {
	return s.Change(fmt.Sprintf("moving project %s", key), func(st *State) error {
		p := st.Projects[strings.ToUpper(key)]
		if p == nil || st.Projects[strings.ToUpper(newKey)] != nil || !wellFormedKey(newKey) {
			return fmt.Errorf("no such project, or the key is taken")
		}
		st.moveProject(p, strings.ToUpper(newKey))
		return nil
	})
}

// moved returns the refusal for a repository, or (slug empty) a project, that was moved,
// nil if it was not: a redirect. Doubt: the status was not seen; plugins' resources answer 409 or 500
// with the exception, as Settings.MovedStatus can have it.
func (c *call) moved(project, slug string) error {
	from, what, exception := strings.ToUpper(project), "project", projectMoved
	if slug != "" {
		from, what, exception = from+"/"+strings.ToLower(slug), "repository", repositoryMoved
	}
	to, ok := c.st.Moved[from]
	if !ok {
		return nil
	}
	status := c.st.Settings.MovedStatus
	if status == 0 {
		status = http.StatusMovedPermanently
	}
	rep := coreError(status, "", exception, "The "+what+" has been moved to "+to+".")
	if status < 400 {
		newProject, newSlug, ofRepo := strings.Cut(to, "/")
		address := c.base.String() + "/rest/api/1.0/projects/" + newProject
		if ofRepo {
			address += "/repos/" + newSlug
		}
		rep.header = http.Header{"Location": {address}}
	}
	return &refusal{rep}
}
