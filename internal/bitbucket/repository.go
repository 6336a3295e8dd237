package bitbucket

import (
	"context"
	"errors"
	"strings"
)

// A Repository is one that the account may see.
type Repository struct {
	ID       int
	Project  string // key
	Slug     string
	Name     string
	Archived bool
	SSH      string // clone URL, "" where SSH is switched off
	HTTP     string // clone URL
}

// Repository reads one. ErrNotFound: there is none, or the account may not see it.
// ErrMoved: it has another project or slug now.
func (c *Client) Repository(ctx context.Context, project, slug string) (Repository, error) {
	var r Repository
	var moved string
	q := call{op: "reading the repository", object: escape(project + "/" + slug), path: repoPath(project, slug)}
	err := c.do(ctx, q, func(a answer) error {
		var wire struct {
			ID         int
			Slug, Name string
			Archived   bool
			Project    struct{ Key string }
			Links      struct{ Clone []struct{ Href, Name string } }
		}
		if err := decode(&wire)(a); err != nil {
			return err
		}
		if wire.Slug == "" {
			return errors.New("not a repository")
		}
		if !strings.EqualFold(wire.Slug, slug) || !strings.EqualFold(wire.Project.Key, project) {
			moved = wire.Project.Key + "/" + wire.Slug // asked by its old name, some versions answer with the new one
			return nil
		}
		r = Repository{ID: wire.ID, Project: wire.Project.Key, Slug: wire.Slug, Name: wire.Name, Archived: wire.Archived}
		for _, l := range wire.Links.Clone { // in no certain order
			switch {
			case l.Name == "ssh":
				r.SSH = l.Href
			case strings.HasPrefix(l.Name, "http"):
				r.HTTP = l.Href
			}
		}
		return nil
	})
	if err == nil && moved != "" {
		e := c.fault(q)
		e.kind, e.moved, e.Advice = ErrMoved, moved, adviseMoved(escape(moved))
		return Repository{}, e
	}
	return r, err
}

func repoPath(project, slug string) string {
	return "/rest/api/1.0/projects/" + segment(project) + "/repos/" + segment(slug)
}

// A Webhook is a native one (from 5.4 on). Its secret is not read.
type Webhook struct {
	ID     int
	Name   string
	URL    string
	Events []string
	Active bool
}

// Webhooks reads all webhooks of a repository. ErrTooOld: before 5.4.
func (c *Client) Webhooks(ctx context.Context, project, repo string) ([]Webhook, error) {
	type wire struct {
		ID        int
		Name, URL string
		Events    []string
		Active    bool
	}
	q := call{op: "reading the webhooks of", object: escape(project + "/" + repo), path: repoPath(project, repo) + "/webhooks"}
	list := []Webhook{}
	err := pages(ctx, c, q, func(w wire) bool {
		list = append(list, Webhook(w))
		return true
	})
	switch {
	case missing(err):
		return nil, tooOld(err)
	case err != nil:
		return nil, err
	}
	return list, nil
}
