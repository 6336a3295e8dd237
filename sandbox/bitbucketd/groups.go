package bitbucketd

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

type groupBody struct {
	Name      string `json:"name"`
	Deletable bool   `json:"deletable"`
}

func listGroups(c *call) (reply, error) {
	if err := c.licensed(); err != nil {
		return reply{}, err
	}
	var list []groupBody
	for _, name := range slices.Sorted(maps.Keys(c.st.Groups)) {
		if strings.Contains(strings.ToLower(name), strings.ToLower(c.query("filter"))) {
			list = append(list, groupBody{Name: name, Deletable: true})
		}
	}
	return paged(c, list)
}

func createGroup(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	name := c.query("name")
	if name == "" {
		return reply{}, refuseField("name", "A name is required.")
	}
	if c.st.Groups[name] != nil {
		return reply{}, refuse(http.StatusConflict, integrityException, "The group %s already exists.", name)
	}
	c.st.Groups[name] = &Group{Name: name, Members: map[string]bool{}}
	c.wrote("group %s created", name)
	return reply{body: groupBody{Name: name, Deletable: true}}, nil
}

func deleteGroup(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	g, err := c.namedGroup(c.query("name"))
	if err != nil {
		return reply{}, err
	}
	if c.st.Global.Groups[g.Name].rank() > c.globalRank() {
		return reply{}, refuse(http.StatusForbidden, forbiddenException, "The group %s has more permissions than you.", g.Name)
	}
	before := c.globalRank()
	grant := c.st.Global.Groups[g.Name]
	delete(c.st.Groups, g.Name)
	delete(c.st.Global.Groups, g.Name)
	if c.globalRank() < before {
		c.st.Groups[g.Name], c.st.Global.Groups[g.Name] = g, grant
		return reply{}, refuse(http.StatusConflict, integrityException, "Deleting %s would lower your own permissions.", g.Name)
	}
	for _, p := range c.st.Projects {
		delete(p.Grants.Groups, g.Name)
		for _, r := range p.Repos {
			delete(r.Grants.Groups, g.Name)
		}
	}
	c.wrote("group %s deleted", g.Name)
	return reply{body: groupBody{Name: g.Name, Deletable: true}}, nil
}

func (c *call) namedGroup(name string) (*Group, error) {
	if name == "" {
		return nil, refuseField("name", "A name is required.")
	}
	g := c.st.Groups[name]
	if g == nil {
		return nil, refuse(http.StatusNotFound, noSuchGroupException, "No such group %s", name)
	}
	return g, nil
}

func listMembers(c *call) (reply, error) {
	if err := c.licensed(); err != nil {
		return reply{}, err
	}
	g, err := c.namedGroup(c.query("context"))
	if err != nil {
		return reply{}, err
	}
	var list []detailedUser
	for _, u := range c.st.usersSorted(func(u *User) bool {
		return g.Members[strings.ToLower(u.Name)] && u.matches(c.query("filter"))
	}) {
		list = append(list, c.detailed(u))
	}
	return paged(c, list)
}

// joinGroups serves POST /admin/users/add-groups.
func joinGroups(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	var in struct {
		User   string   `json:"user"`
		Groups []string `json:"groups"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u := c.st.User(in.User)
	if u == nil {
		return reply{}, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", in.User)
	}
	for _, name := range in.Groups {
		if _, err := c.namedGroup(name); err != nil {
			return reply{}, err
		}
	}
	for _, name := range in.Groups {
		c.st.Groups[name].Members[strings.ToLower(u.Name)] = true
	}
	c.wrote("user %s joined groups", u.Name)
	return reply{}, nil
}

// leaveGroup serves POST /admin/users/remove-group: context is the user, itemName the group.
func leaveGroup(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	var in struct {
		Context  string `json:"context"`
		ItemName string `json:"itemName"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u := c.st.User(in.Context)
	if u == nil {
		return reply{}, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", in.Context)
	}
	g, err := c.namedGroup(in.ItemName)
	if err != nil {
		return reply{}, err
	}
	delete(g.Members, strings.ToLower(u.Name))
	c.wrote("user %s left group %s", u.Name, g.Name)
	return reply{}, nil
}
