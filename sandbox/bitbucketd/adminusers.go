package bitbucketd

import (
	"net/http"
	"strings"
)

// detailedUser is a user as administration shows it.
type detailedUser struct {
	userBody
	DirectoryName string `json:"directoryName"`
	Deletable     bool   `json:"deletable"`
	MutableDetail bool   `json:"mutableDetails"`
	MutableGroups bool   `json:"mutableGroups"`
	LastLogin     int64  `json:"lastAuthenticationTimestamp,omitempty"`
}

func (c *call) detailed(u *User) detailedUser {
	return detailedUser{
		userBody: c.user(u), DirectoryName: c.st.Settings.DirectoryName, Deletable: true,
		MutableDetail: true, MutableGroups: true, LastLogin: u.LastLogin,
	}
}

func listAdminUsers(c *call) (reply, error) {
	if err := c.licensed(); err != nil {
		return reply{}, err
	}
	var list []detailedUser
	for _, u := range c.st.usersSorted(func(u *User) bool { return u.matches(c.query("filter")) }) {
		list = append(list, c.detailed(u))
	}
	return paged(c, list)
}

// createUser reads all, the password too, from the query string, as the real one.
func createUser(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	q := c.r.URL.Query()
	for _, field := range []string{"name", "displayName", "emailAddress"} {
		if q.Get(field) == "" {
			return reply{}, refuseField(field, "A %s is required.", field)
		}
	}
	if q.Get("password") == "" && (!q.Has("notify") || q.Get("notify") == "false") {
		return reply{}, refuseField("password", "A password is required.")
	}
	if c.st.User(q.Get("name")) != nil {
		return reply{}, refuse(http.StatusConflict, duplicateUser, "The user %s already exists.", q.Get("name"))
	}
	u := c.st.addUser(q.Get("name"), q.Get("displayName"), q.Get("emailAddress"), q.Get("password"))
	if q.Get("addToDefaultGroup") != "false" {
		c.st.Groups["stash-users"].Members[strings.ToLower(u.Name)] = true
	}
	c.wrote("user %s created", u.Name)
	return reply{status: http.StatusNoContent}, nil
}

// outranks refuses to touch a user of more permissions than the caller has.
func (c *call) outranks(u *User, status int) error {
	if c.st.globalRank(u) > c.globalRank() {
		return refuse(status, forbiddenException, "The user %s has more permissions than you.", u.Name)
	}
	return nil
}

func updateUser(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	var in struct {
		Name        string `json:"name"`
		DisplayName string `json:"displayName"`
		Email       string `json:"email"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u := c.st.User(in.Name)
	if u == nil {
		return reply{}, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", in.Name)
	}
	if err := c.outranks(u, http.StatusUnauthorized); err != nil {
		return reply{}, err
	}
	if in.DisplayName != "" {
		u.DisplayName = in.DisplayName
	}
	if in.Email != "" {
		u.Email = in.Email
	}
	c.wrote("user %s updated", u.Name)
	return reply{body: c.detailed(u)}, nil
}

func deleteUser(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	u, err := c.named("name")
	if err != nil {
		return reply{}, err
	}
	if u == c.who.user {
		return reply{}, refuse(http.StatusConflict, integrityException, "You cannot delete yourself.")
	}
	if err := c.outranks(u, http.StatusForbidden); err != nil {
		return reply{}, err
	}
	gone := c.detailed(u)
	c.st.removeUser(u)
	c.wrote("user %s deleted", u.Name)
	return reply{body: gone}, nil
}

func setPassword(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	var in struct {
		Name     string `json:"name"`
		Password string `json:"password"`
		Confirm  string `json:"passwordConfirm"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	u := c.st.User(in.Name)
	if u == nil {
		return reply{}, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", in.Name)
	}
	if in.Password == "" || in.Password != in.Confirm {
		return reply{}, refuseField("passwordConfirm", "The passwords do not match.")
	}
	if err := c.outranks(u, http.StatusUnauthorized); err != nil {
		return reply{}, err
	}
	u.setPassword(in.Password)
	c.wrote("password of %s set", u.Name)
	return reply{status: http.StatusNoContent}, nil
}

func clearCaptcha(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	u, err := c.named("name")
	if err != nil {
		return reply{}, err
	}
	if err := c.outranks(u, http.StatusForbidden); err != nil {
		return reply{}, err
	}
	u.Failures = 0
	c.wrote("captcha of %s cleared", u.Name)
	return reply{status: http.StatusNoContent}, nil
}

// addUser adds an account in no group.
func (st *State) addUser(name, display, email, password string) *User {
	u := &User{ID: st.nextID(), Name: name, Slug: userSlug(name), DisplayName: display, Email: email}
	u.setPassword(password)
	st.Users[strings.ToLower(name)] = u
	return u
}

func userSlug(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}

// setPassword also forgets the failures. A user without password cannot log in.
func (u *User) setPassword(password string) {
	u.Salt, u.Password, u.Failures = random(8), "", 0
	if password != "" {
		u.Password = digest(u.Salt, password)
	}
}

// removeUser removes the account with all that is its own.
func (st *State) removeUser(u *User) {
	name := strings.ToLower(u.Name)
	delete(st.Users, name)
	for _, g := range st.Groups {
		delete(g.Members, name)
	}
	delete(st.Global.Users, name)
	for _, p := range st.Projects {
		delete(p.Grants.Users, name)
		for _, r := range p.Repos {
			delete(r.Grants.Users, name)
		}
	}
	st.SSHKeys = without(st.SSHKeys, func(k *SSHKey) bool { return k.User == name })
	st.HTTPTokens = without(st.HTTPTokens, func(t *HTTPToken) bool { return t.User == name })
	for id, t := range st.AccessTokens {
		if t.User == name {
			delete(st.AccessTokens, id)
		}
	}
}

// without returns the list less what is gone, in a list of its own.
func without[T any](list []T, gone func(T) bool) []T {
	var left []T
	for _, item := range list {
		if !gone(item) {
			left = append(left, item)
		}
	}
	return left
}
