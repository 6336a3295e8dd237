package bitbucketd

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// target is what permissions are granted on: everything, a project, a repository.
type target struct {
	name   string
	scope  scope
	grants *Grants
	rank   func() int // the caller's own effective rank
}

type targeting func(*call) (target, error)

func everything(c *call) (target, error) {
	return target{"everything", globalScope, &c.st.Global, c.globalRank}, c.global(Admin)
}

func oneProject(c *call) (target, error) {
	p, err := c.project(ProjectAdmin)
	if err != nil {
		return target{}, err
	}
	return target{p.Key, projectScope, &p.Grants, func() int { return c.projectRank(p) }}, nil
}

func oneRepo(c *call) (target, error) {
	p, r, err := c.repo(RepoAdmin)
	if err != nil {
		return target{}, err
	}
	return target{p.Key + "/" + r.Slug, repoScope, &r.Grants, func() int { return c.repoRank(p, r) }}, nil
}

type permittedUser struct {
	User       userBody   `json:"user"`
	Permission Permission `json:"permission"`
}

type permittedGroup struct {
	Group      namedGroup `json:"group"`
	Permission Permission `json:"permission"`
}

type namedGroup struct {
	Name string `json:"name"`
}

// listUserGrants lists direct grants only.
func listUserGrants(on targeting) handler {
	return func(c *call) (reply, error) {
		t, err := on(c)
		if err != nil {
			return reply{}, err
		}
		var list []permittedUser
		for _, u := range c.st.usersSorted(func(u *User) bool { return u.matches(c.query("filter")) }) {
			if p := t.grants.Users[strings.ToLower(u.Name)]; p != "" {
				list = append(list, permittedUser{User: c.user(u), Permission: p})
			}
		}
		return paged(c, list)
	}
}

func listGroupGrants(on targeting) handler {
	return func(c *call) (reply, error) {
		t, err := on(c)
		if err != nil {
			return reply{}, err
		}
		var list []permittedGroup
		for _, name := range slices.Sorted(maps.Keys(t.grants.Groups)) {
			if strings.Contains(strings.ToLower(name), strings.ToLower(c.query("filter"))) {
				list = append(list, permittedGroup{Group: namedGroup{Name: name}, Permission: t.grants.Groups[name]})
			}
		}
		return paged(c, list)
	}
}

// holder returns the map that holds the grant of the query's name, and its key in it.
type holder func(*call, target) (map[string]Permission, string, error)

func userHolder(c *call, t target) (map[string]Permission, string, error) {
	u, err := c.named("name")
	if err != nil {
		return nil, "", err
	}
	return t.grants.Users, strings.ToLower(u.Name), nil
}

func groupHolder(c *call, t target) (map[string]Permission, string, error) {
	g, err := c.namedGroup(c.query("name"))
	if err != nil {
		return nil, "", err
	}
	return t.grants.Groups, g.Name, nil
}

func setGrant(on targeting, of holder) handler {
	return func(c *call) (reply, error) {
		t, err := on(c)
		if err != nil {
			return reply{}, err
		}
		grants, name, err := of(c, t)
		if err != nil {
			return reply{}, err
		}
		p := Permission(c.query("permission"))
		kind, rank := p.split()
		if kind != t.scope {
			return reply{}, refuseField("permission", "%q is no permission that can be granted here.", string(p))
		}
		if rank > t.rank() {
			return reply{}, forbid() // more than the caller has; only on everything
		}
		lower := http.StatusForbidden
		if t.scope == globalScope {
			lower = http.StatusConflict
		}
		return c.regrant(t, grants, name, p, lower)
	}
}

func deleteGrant(on targeting, of holder) handler {
	return func(c *call) (reply, error) {
		t, err := on(c)
		if err != nil {
			return reply{}, err
		}
		grants, name, err := of(c, t)
		if err != nil {
			return reply{}, err
		}
		return c.regrant(t, grants, name, "", http.StatusConflict)
	}
}

// regrant sets or ("") removes a grant, unless that would take permissions from the
// caller or from one who has more than the caller.
func (c *call) regrant(t target, grants map[string]Permission, name string, p Permission, refusedWith int) (reply, error) {
	before, mine := grants[name], t.rank()
	if before.rank() > mine {
		return reply{}, refuse(http.StatusConflict, integrityException, "%s has more permissions than you.", name)
	}
	put(grants, name, p)
	if t.rank() < mine {
		put(grants, name, before)
		return reply{}, refuse(refusedWith, integrityException, "This would lower your own permissions.")
	}
	if before != p {
		c.wrote("permission of %s on %s: %q, was %q", name, t.name, p, before)
	}
	return reply{status: http.StatusNoContent}, nil
}

// put sets a grant; an empty one is none.
func put(grants map[string]Permission, name string, p Permission) {
	if p == "" {
		delete(grants, name)
		return
	}
	grants[name] = p
}
