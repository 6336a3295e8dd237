package bitbucketd

import (
	"maps"
	"slices"
	"strings"
)

type foundHolder struct {
	Type       string      `json:"type"`
	User       *userBody   `json:"user,omitempty"`
	Group      *namedGroup `json:"group,omitempty"`
	Permission Permission  `json:"permission"`
}

// searchGrants lists who has a direct permission here: users and groups, by name and
// permission. Doubt: the vendor's document names the path and its parameters, and not
// the answer.
func searchGrants(on targeting) handler {
	return func(c *call) (reply, error) {
		t, err := on(c)
		if err != nil {
			return reply{}, err
		}
		kind, text, want := strings.ToUpper(c.query("type")), strings.ToLower(c.query("filterText")), Permission(c.query("permission"))
		fits := func(of, name string, p Permission) bool {
			return p != "" && (kind == "" || kind == of) && strings.Contains(strings.ToLower(name), text) && (want == "" || want == p)
		}
		var list []foundHolder
		for _, u := range c.st.usersSorted(func(*User) bool { return true }) {
			if p := t.grants.Users[lower(u)]; fits("USER", u.Name+" "+u.DisplayName, p) {
				list = append(list, foundHolder{Type: "USER", User: new(c.user(u)), Permission: p})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(t.grants.Groups)) {
			if p := t.grants.Groups[name]; fits("GROUP", name, p) {
				list = append(list, foundHolder{Type: "GROUP", Group: &namedGroup{Name: name}, Permission: p})
			}
		}
		return paged(c, list)
	}
}
