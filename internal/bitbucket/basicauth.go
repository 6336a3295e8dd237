package bitbucket

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

// BasicAuthConfig says for whom Basic authentication is switched off (from 7.12
// on).
type BasicAuthConfig struct {
	Blocked      bool
	AllowedUsers []string
	AllowedPaths []string
}

// BasicAuthConfig reads it, which takes SYS_ADMIN. ErrTooOld: the server has none,
// and blocks nobody.
func (c *Client) BasicAuthConfig(ctx context.Context) (BasicAuthConfig, error) {
	var wire struct {
		Block *bool    `json:"block-requests"`
		Users []string `json:"allowed-users"`
		Paths []string `json:"allowed-paths"`
	}
	q := call{op: "reading who may use Basic authentication at", object: c.URL(), path: "/rest/basicauth/latest/config"}
	err := c.do(ctx, q, func(a answer) error {
		if err := decode(&wire)(a); err != nil {
			return err
		}
		if wire.Block == nil {
			return errors.New("not the Basic authentication settings")
		}
		return nil
	})
	switch {
	case status(err) == http.StatusNotFound:
		return BasicAuthConfig{}, tooOld(err)
	case errors.Is(err, ErrForbidden):
		return BasicAuthConfig{}, adviseSystemAdmin(err, c.username)
	case err != nil:
		return BasicAuthConfig{}, err
	}
	return BasicAuthConfig{*wire.Block, wire.Users, wire.Paths}, nil
}

func adviseSystemAdmin(err error, username string) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.as(e.kind, "it takes a system administrator to see it; bbsync does not need it, and "+quote(username)+" needs no more than global ADMIN")
	}
	return err
}

// Admits reports whether the lists admit a request of the user to a path below the
// base URL, as the server compares: exactly and case-sensitively, unless an entry
// has the wildcards * and ?.
func (b BasicAuthConfig) Admits(user, path string) bool {
	return slices.ContainsFunc(b.AllowedUsers, func(entry string) bool { return admits(entry, user) }) ||
		slices.ContainsFunc(b.AllowedPaths, func(entry string) bool { return admits(pathEntry(entry), trimSlash(path)) })
}

// Misread explains the entries that look as if they admitted the user and do not.
func (b BasicAuthConfig) Misread(user string) []string {
	var all []string
	for _, entry := range b.AllowedUsers {
		if names.SameUser(entry, user) && !admits(entry, user) {
			all = append(all, "the user "+quote(entry)+" does not admit "+quote(user)+": entries are case-sensitive")
		}
	}
	for _, entry := range b.AllowedPaths {
		path := pathEntry(entry)
		if !strings.ContainsAny(entry, "*?") && (path == "/" || strings.HasPrefix("/rest/applinks/", path+"/") || strings.HasPrefix("/rest/api/", path+"/")) {
			all = append(all, "the path "+quote(entry)+" admits that path alone: "+quote(strings.TrimSuffix(path, "/")+"/*")+" admits what is below it")
		}
	}
	return all
}

// pathEntry returns a path of the list as the server reads it: with a slash before
// it and without one after it.
func pathEntry(entry string) string {
	if !strings.HasPrefix(entry, "/") && !strings.HasPrefix(entry, "*") && !strings.HasPrefix(entry, "?") {
		entry = "/" + entry
	}
	return trimSlash(entry)
}

func trimSlash(path string) string {
	if path == "/" {
		return path
	}
	return strings.TrimSuffix(path, "/")
}

// admits compares an entry: * stands for any characters, slashes included, and ? for
// one.
func admits(entry, value string) bool {
	pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(entry))
	return regexp.MustCompile("(?s)^" + pattern + "$").MatchString(value)
}
