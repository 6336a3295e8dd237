package bitbucketd

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

type hrefs struct {
	Self []href `json:"self"`
}

type href struct {
	Href string `json:"href"`
	Name string `json:"name,omitempty"`
}

// userBody is a user as others see it.
type userBody struct {
	Name         string `json:"name"`
	EmailAddress string `json:"emailAddress"`
	ID           int    `json:"id"`
	DisplayName  string `json:"displayName"`
	Active       bool   `json:"active"`
	Slug         string `json:"slug"`
	Type         string `json:"type"`
	Links        hrefs  `json:"links"`
}

func (c *call) user(u *User) userBody {
	return userBody{
		Name: u.Name, EmailAddress: u.Email, ID: u.ID, DisplayName: u.DisplayName, Active: !u.Inactive,
		Slug: u.Slug, Type: "NORMAL", Links: c.self("/users/" + u.Slug),
	}
}

func (c *call) self(path string) hrefs {
	return hrefs{Self: []href{{Href: c.base.String() + path}}}
}

// matches reports whether the user's name, display name or address contains the filter.
func (u *User) matches(filter string) bool {
	filter = strings.ToLower(filter)
	return strings.Contains(strings.ToLower(u.Name), filter) || strings.Contains(strings.ToLower(u.DisplayName), filter) ||
		strings.Contains(strings.ToLower(u.Email), filter)
}

// usersSorted returns the users that pass, by name.
func (st *State) usersSorted(pass func(*User) bool) []*User {
	var list []*User
	for _, u := range st.Users {
		if pass(u) {
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b *User) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func getUser(c *call) (reply, error) {
	if err := c.licensed(); err != nil {
		return reply{}, err
	}
	slug := c.r.PathValue("slug")
	u := c.st.userBySlug(slug)
	if u == nil {
		return reply{}, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", slug)
	}
	return reply{body: c.user(u)}, nil
}

// listUsers serves GET /users: filter, group, and up to 50 permission filters that
// must all hold. Permissions are the effective ones.
func listUsers(c *call) (reply, error) {
	if err := c.licensed(); err != nil {
		return reply{}, err
	}
	filters, err := c.permissionFilters()
	if err != nil {
		return reply{}, err
	}
	var group *Group
	if name := c.query("group"); name != "" {
		if group = c.st.Groups[name]; group == nil {
			return paged(c, []userBody{})
		}
	}
	var list []userBody
	for _, u := range c.st.usersSorted(func(u *User) bool {
		return !u.Inactive && u.matches(c.query("filter")) && (group == nil || group.Members[strings.ToLower(u.Name)]) &&
			!slices.ContainsFunc(filters, func(has func(*User) bool) bool { return !has(u) })
	}) {
		list = append(list, c.user(u))
	}
	return paged(c, list)
}

// maxFilters is how many numbered permission filters are looked at.
const maxFilters = 50

// permissionFilters reads "permission" and "permission.1", "permission.2" and so on,
// up to the first that is missing. What is past the fiftieth is dropped.
func (c *call) permissionFilters() ([]func(*User) bool, error) {
	roots := []string{"permission"}
	for n := 1; n <= maxFilters; n++ {
		root := "permission." + strconv.Itoa(n)
		if !c.r.URL.Query().Has(root) {
			break
		}
		roots = append(roots, root)
	}
	var filters []func(*User) bool
	for _, root := range roots {
		if !c.r.URL.Query().Has(root) {
			continue
		}
		has, err := c.permissionFilter(root)
		if err != nil {
			return nil, err
		}
		filters = append(filters, has)
	}
	return filters, nil
}

func (c *call) permissionFilter(root string) (func(*User) bool, error) {
	p := Permission(c.query(root))
	kind, rank := p.split()
	switch kind {
	case globalScope:
		return func(u *User) bool { return c.st.globalRank(u) >= rank }, nil
	case projectScope:
		project, err := c.filteredProject(root)
		if err != nil {
			return nil, err
		}
		return func(u *User) bool { return c.st.projectRank(u, project) >= rank }, nil
	case repoScope:
		project, repo, err := c.filteredRepo(root)
		if err != nil {
			return nil, err
		}
		return func(u *User) bool { return c.st.repoRank(u, project, repo) >= rank }, nil
	case noScope:
	}
	return nil, refuseField(root, "Permission %q does not exist.", string(p))
}

func (c *call) filteredProject(root string) (*Project, error) {
	key := c.query(root + ".projectKey")
	if id := c.query(root + ".projectId"); id != "" {
		for _, p := range c.st.Projects {
			if fmt.Sprint(p.ID) == id {
				return p, nil
			}
		}
		return nil, refuseField(root+".projectId", "Project %s does not exist.", id)
	}
	if key == "" {
		return nil, refuseField(root, "A project permission filter needs %s.projectId or %s.projectKey.", root, root)
	}
	if p := c.st.Projects[strings.ToUpper(key)]; p != nil {
		return p, nil
	}
	return nil, refuseField(root+".projectKey", "Project %s does not exist.", key)
}

func (c *call) filteredRepo(root string) (*Project, *Repo, error) {
	if id := c.query(root + ".repositoryId"); id != "" {
		for _, p := range c.st.Projects {
			for _, r := range p.Repos {
				if fmt.Sprint(r.ID) == id {
					return p, r, nil
				}
			}
		}
		return nil, nil, refuseField(root+".repositoryId", "Repository %s does not exist.", id)
	}
	slug := c.query(root + ".repositorySlug")
	if slug == "" {
		return nil, nil, refuseField(root, "A repository permission filter needs %s.repositoryId, or %s.repositorySlug and a project.", root, root)
	}
	if err := c.moved(c.query(root+".projectKey"), slug); err != nil {
		return nil, nil, err
	}
	p, err := c.filteredProject(root)
	if err != nil {
		return nil, nil, err
	}
	if r := p.Repos[strings.ToLower(slug)]; r != nil {
		return p, r, nil
	}
	return nil, nil, refuseField(root+".repositorySlug", "Repository %s/%s does not exist.", p.Key, slug)
}
