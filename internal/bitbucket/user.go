package bitbucket

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/bbsync/bbsync/internal/names"
)

// A User is a Bitbucket account.
type User struct {
	ID          int    // stays when the account is renamed
	Name        string // what one logs in with
	Slug        string // what URLs have; not always the name
	DisplayName string
	Email       string
	Active      bool
	Service     bool // an account that Bitbucket keeps for itself
}

type userWire struct {
	ID                                          int
	Name, Slug, DisplayName, EmailAddress, Type string
	Active                                      *bool
}

func (w userWire) user() User {
	return User{w.ID, w.Name, w.Slug, w.DisplayName, w.EmailAddress, w.Active == nil || *w.Active, w.Type == "SERVICE"}
}

// User finds a user by username. ErrNotFound: there is none, or the account may
// not see it.
func (c *Client) User(ctx context.Context, name string) (User, error) {
	q := call{op: "reading user", object: quote(name), path: "/rest/api/1.0/users", query: url.Values{"filter": {name}}}
	found, ok, err := c.findUser(ctx, q, name)
	if err != nil || ok {
		return found, err
	}
	// The list may leave out users who are not active; the slug usually is the name.
	direct := call{op: q.op, object: q.object, path: "/rest/api/1.0/users/" + segment(names.UserKey(name))}
	var wire userWire
	switch err := c.do(ctx, direct, decode(&wire)); {
	case err == nil && names.SameUser(wire.Name, name):
		return wire.user(), nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return User{}, err
	}
	e := c.fault(q)
	e.Status, e.kind, e.Advice = http.StatusNotFound, ErrNotFound, "check the spelling: it is the username, not the display name or the slug"
	return User{}, e
}

// findUser looks for one user in a list that is filtered by a part of names and
// addresses. Usernames differ in more than case.
func (c *Client) findUser(ctx context.Context, q call, name string) (found User, ok bool, err error) {
	err = pages(ctx, c, q, func(w userWire) bool {
		if names.SameUser(w.Name, name) {
			found, ok = w.user(), true
		}
		return !ok
	})
	return found, ok, err
}
