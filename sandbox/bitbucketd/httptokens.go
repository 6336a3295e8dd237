package bitbucketd

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// HTTPToken is an HTTP access token of a user. It never carries a global permission.
type HTTPToken struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	User        string       `json:"user"` // lower case
	Hash        string       `json:"hash"`
	Permissions []Permission `json:"permissions"`
	Created     int64        `json:"created"`
	Expires     int64        `json:"expires"` // 0: never
}

// ceiling is the highest rank that the token lets its user have in the scope. A
// project permission implies the same one on its repositories.
func (t *HTTPToken) ceiling(of scope) int {
	rank := 0
	for _, p := range t.Permissions {
		if kind, have := p.split(); kind == of || kind == projectScope && of == repoScope {
			rank = max(rank, have)
		} else if kind == repoScope && of == projectScope {
			rank = max(rank, 1) // whoever reads a repository reads of its project
		}
	}
	return rank
}

type tokenBody struct {
	ID          string       `json:"id"`
	CreatedDate int64        `json:"createdDate"`
	Name        string       `json:"name"`
	Permissions []Permission `json:"permissions"`
	User        userBody     `json:"user"`
	Token       string       `json:"token,omitempty"`
}

func (c *call) tokenBody(t *HTTPToken, u *User) tokenBody {
	return tokenBody{ID: t.ID, CreatedDate: t.Created, Name: t.Name, Permissions: t.Permissions, User: c.user(u)}
}

// tokenOwner returns the user of the path, for whom only that user itself acts, and
// not with a token. Administrators may look and delete, but not create.
func (c *call) tokenOwner(adminToo bool) (*User, error) {
	if !c.version.hasHTTPTokens() {
		_, err := unknownREST(c)
		return nil, err
	}
	u := c.st.userBySlug(c.r.PathValue("slug"))
	if u == nil {
		return nil, refuse(http.StatusNotFound, noSuchUserException, "No such user %s", c.r.PathValue("slug"))
	}
	if c.who.by == byToken || u != c.who.user && (!adminToo || c.global(Admin) != nil) {
		return nil, forbid()
	}
	return u, nil
}

type tokenInput struct {
	Name        string       `json:"name"`
	Permissions []Permission `json:"permissions"`
	ExpiryDays  int          `json:"expiryDays"`
}

func checkTokenPermissions(permissions []Permission) error {
	for _, p := range permissions {
		if kind, _ := p.split(); kind != projectScope && kind != repoScope {
			return refuseField("permissions", "Tokens may not have the following permission: %s", string(p))
		}
	}
	return nil
}

func createToken(c *call) (reply, error) {
	u, err := c.tokenOwner(false)
	if err != nil {
		return reply{}, err
	}
	var in tokenInput
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	if in.Name == "" || len(in.Permissions) == 0 {
		return reply{}, refuseField("name", "A token needs a name and permissions.")
	}
	if err := checkTokenPermissions(in.Permissions); err != nil {
		return reply{}, err
	}
	t, text := c.st.addToken(u, in.Name, in.Permissions, c.now())
	if in.ExpiryDays > 0 {
		t.Expires = c.now().Add(time.Duration(in.ExpiryDays) * 24 * time.Hour).UnixMilli()
	}
	c.wrote("http token %s of %s created", t.Name, u.Name)
	out := c.tokenBody(t, u)
	out.Token = text
	return reply{body: out}, nil
}

func (st *State) addToken(u *User, name string, permissions []Permission, now time.Time) (*HTTPToken, string) {
	text := random(22)
	t := &HTTPToken{
		ID: fmt.Sprint(st.nextID() + 252973515000), Name: name, User: strings.ToLower(u.Name),
		Hash: digest("token", text), Permissions: permissions, Created: now.UnixMilli(),
	}
	st.HTTPTokens = append(st.HTTPTokens, t)
	return t, text
}

func listTokens(c *call) (reply, error) {
	u, err := c.tokenOwner(true)
	if err != nil {
		return reply{}, err
	}
	var list []tokenBody
	for _, t := range c.st.HTTPTokens {
		if t.User == strings.ToLower(u.Name) {
			list = append(list, c.tokenBody(t, u))
		}
	}
	return paged(c, list)
}

// ownToken finds the token of the path and its user.
func (c *call) ownToken(adminToo bool) (*User, *HTTPToken, error) {
	u, err := c.tokenOwner(adminToo)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range c.st.HTTPTokens {
		if t.ID == c.r.PathValue("id") && t.User == lower(u) {
			return u, t, nil
		}
	}
	return nil, nil, refuse(http.StatusNotFound, noSuchObjectException, "No such token %s", c.r.PathValue("id"))
}

func getToken(c *call) (reply, error) {
	u, t, err := c.ownToken(true)
	if err != nil {
		return reply{}, err
	}
	return reply{body: c.tokenBody(t, u)}, nil
}

// updateToken changes name and permissions; the token itself and its end stay.
func updateToken(c *call) (reply, error) {
	u, t, err := c.ownToken(false)
	if err != nil {
		return reply{}, err
	}
	var in tokenInput
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	if in.Name != "" {
		t.Name = in.Name
	}
	if len(in.Permissions) > 0 {
		if err := checkTokenPermissions(in.Permissions); err != nil {
			return reply{}, err
		}
		t.Permissions = in.Permissions
	}
	c.wrote("http token %s of %s changed", t.Name, u.Name)
	return reply{body: c.tokenBody(t, u)}, nil
}

func deleteToken(c *call) (reply, error) {
	u, gone, err := c.ownToken(true)
	if err != nil {
		return reply{}, err
	}
	c.st.HTTPTokens = without(c.st.HTTPTokens, func(t *HTTPToken) bool { return t == gone })
	c.wrote("http token %s of %s deleted", gone.ID, u.Name)
	return reply{status: http.StatusNoContent}, nil
}
