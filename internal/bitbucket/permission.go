package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A Permission is a right on a repository, on a project (Repository ""), or on
// the whole of Bitbucket (Project "" too).
type Permission struct {
	Project    string // key; "~slug" for a personal one
	Repository string // slug
	Name       string // REPO_ADMIN, PROJECT_ADMIN, ADMIN, ...
}

// String returns "REPO_ADMIN on repository INFRA/vpc" and the like.
func (p Permission) String() string {
	switch {
	case p.Project == "":
		return p.Name
	case p.Repository == "":
		return p.Name + " on project " + p.Project
	}
	return p.Name + " on repository " + p.Project + "/" + p.Repository
}

// maxFilters is how many permissions one request can ask for. The server drops
// what exceeds it without a word.
const maxFilters = 50

// A Holding is what became of one permission that was asked for.
type Holding struct {
	Held    bool
	Unknown error // it cannot be told: the project or repository is missing (ErrNotFound), was moved (ErrMoved), or fails
}

// HasPermissions reports for each want whether the user has it, effectively: by
// groups, by the project, globally, as well as directly. It takes one request
// for fifty that hold; those that do not are found by halving.
func (c *Client) HasPermissions(ctx context.Context, user string, wants []Permission) ([]Holding, error) {
	have := make([]Holding, len(wants))
	for begin := 0; begin < len(wants); begin += maxFilters {
		end := min(begin+maxFilters, len(wants))
		if err := c.ask(ctx, user, wants[begin:end], have[begin:end]); err != nil {
			return nil, err
		}
	}
	return have, nil
}

func (c *Client) ask(ctx context.Context, user string, wants []Permission, have []Holding) error {
	all, err := c.hasAll(ctx, user, wants)
	switch {
	case err != nil && !ConcernsObject(err) && (!tooLong(err) || len(wants) == 1), err != nil && wants[0].Project == "":
		return err
	case err == nil && all:
		for i := range have {
			have[i].Held = true
		}
		return nil
	case len(wants) > 1:
		half := len(wants) / 2
		if err := c.ask(ctx, user, wants[:half], have[:half]); err != nil {
			return err
		}
		return c.ask(ctx, user, wants[half:], have[half:])
	case err != nil:
		have[0].Unknown = explainObject(err)
	}
	return nil
}

// tooLong reports whether a request with fewer permissions may pass.
func tooLong(err error) bool {
	s := status(err)
	return s == http.StatusRequestURITooLong || s == http.StatusRequestEntityTooLarge || s == http.StatusRequestHeaderFieldsTooLarge
}

// hasAll reports whether the user has all of at most maxFilters permissions.
func (c *Client) hasAll(ctx context.Context, user string, wants []Permission) (bool, error) {
	q := call{op: "checking whether user " + quote(user) + " has", object: wants[0].String(), path: "/rest/api/1.0/users"}
	if len(wants) > 1 {
		q.object = fmt.Sprintf("%d permissions", len(wants))
	}
	q.query = filters(wants)
	q.query.Set("filter", user)
	_, ok, err := c.findUser(ctx, q, user)
	return ok, err
}

func filters(wants []Permission) url.Values {
	query := url.Values{}
	for i, p := range wants {
		root := "permission." + strconv.Itoa(i+1)
		query.Set(root, p.Name)
		if p.Project != "" {
			query.Set(root+".projectKey", p.Project)
		}
		if p.Repository != "" {
			query.Set(root+".repositorySlug", p.Repository)
		}
	}
	return query
}

// Grant gives the user a permission on a project or repository. It only adds:
// a user who has it effectively, by whatever way, is left alone, since setting a
// direct permission could lower one that is higher.
func (c *Client) Grant(ctx context.Context, user string, p Permission) error {
	path, err := grantPath(p)
	if err != nil {
		return err
	}
	have, err := c.HasPermissions(ctx, user, []Permission{p})
	if err != nil || have[0].Held {
		return err
	}
	if have[0].Unknown != nil {
		return have[0].Unknown
	}
	q := call{
		op: "granting user " + quote(user), object: p.String(), method: http.MethodPut, path: path,
		query: url.Values{"name": {user}, "permission": {p.Name}}, idempotent: true,
	}
	err = settle(c.do(ctx, q, nothing), func() (bool, error) {
		have, err := c.HasPermissions(ctx, user, []Permission{p})
		return err == nil && have[0].Held, err
	})
	var e *Error
	if errors.As(err, &e) && errors.Is(e, ErrNotFound) {
		return e.as(ErrNotFound, "check the project key, the repository slug, and that the user exists and may use Bitbucket")
	}
	return err
}

func grantPath(p Permission) (string, error) {
	path := "/rest/api/1.0/projects/" + segment(p.Project)
	switch {
	case strings.HasPrefix(p.Name, "REPO_") && p.Project != "" && p.Repository != "":
		path += "/repos/" + segment(p.Repository)
	case strings.HasPrefix(p.Name, "PROJECT_") && p.Project != "" && p.Repository == "":
	default:
		return "", fmt.Errorf("granting %s: a REPO_ permission goes with a repository, a PROJECT_ permission with a project", p)
	}
	return path + "/permissions/users", nil
}
