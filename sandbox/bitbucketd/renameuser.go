package bitbucketd

import (
	"net/http"
	"strings"
)

// renameUser gives an account another username. Its id, keys, grants and tokens
// stay.
func renameUser(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	var in struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u := c.st.User(in.Name)
	switch {
	case u == nil:
		return reply{}, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", in.Name)
	case in.NewName == "":
		return reply{}, refuseField("newName", "The new name is required.")
	case c.st.User(in.NewName) != nil:
		return reply{}, refuse(http.StatusConflict, integrityException, "A user named %s exists already.", in.NewName)
	}
	if err := c.outranks(u, http.StatusUnauthorized); err != nil {
		return reply{}, err
	}
	c.st.renameUser(u, in.NewName)
	c.wrote("user %s renamed to %s", in.Name, in.NewName)
	return reply{body: c.detailed(u)}, nil
}

// renameUser moves all that is kept under the user's name.
func (st *State) renameUser(u *User, name string) {
	before, after := strings.ToLower(u.Name), strings.ToLower(name)
	delete(st.Users, before)
	u.Name, u.Slug = name, userSlug(name)
	st.Users[after] = u
	for _, g := range st.Groups {
		rename(g.Members, before, after)
	}
	rename(st.Global.Users, before, after)
	for _, p := range st.Projects {
		rename(p.Grants.Users, before, after)
		for _, r := range p.Repos {
			rename(r.Grants.Users, before, after)
		}
	}
	for _, k := range st.SSHKeys {
		if k.User == before {
			k.User = after
		}
	}
	for _, t := range st.HTTPTokens {
		if t.User == before {
			t.User = after
		}
	}
	for _, t := range st.AccessTokens {
		if t.User == before {
			t.User = after
		}
	}
}

func rename[V any](in map[string]V, before, after string) {
	if v, ok := in[before]; ok {
		delete(in, before)
		in[after] = v
	}
}
