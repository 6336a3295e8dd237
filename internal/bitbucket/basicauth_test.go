package bitbucket

import (
	"strings"
	"testing"
)

func TestBasicAuthLists(t *testing.T) {
	const path = "/rest/applinks/3.0/applinks"
	for name, test := range map[string]struct {
		users, paths []string
		admits       bool
		misread      string // in what is explained; "": nothing is
	}{
		"nobody":                  {},
		"the user":                {users: []string{"other", "admin"}, admits: true},
		"another case":            {users: []string{"Admin"}, misread: "case-sensitive"},
		"part of the name":        {users: []string{"adm"}},
		"users by wildcard":       {users: []string{"adm?n"}, admits: true},
		"a dot is a dot":          {users: []string{"a.min"}},
		"all below":               {paths: []string{"/rest/*"}, admits: true},
		"across slashes":          {paths: []string{"*/applinks"}, admits: true},
		"the path itself":         {paths: []string{"rest/applinks/3.0/applinks/"}, admits: true},
		"the path above":          {paths: []string{"/rest/applinks"}, misread: `"/rest/applinks/*" admits what is below it`},
		"everything, so to speak": {paths: []string{"/"}, misread: `"/*" admits`},
		"another path":            {paths: []string{"/scm"}},
	} {
		config := BasicAuthConfig{Blocked: true, AllowedUsers: test.users, AllowedPaths: test.paths}
		if have := config.Admits("admin", path); have != test.admits {
			t.Errorf("%s: admits %v", name, have)
		}
		have := strings.Join(config.Misread("admin"), "; ")
		if (have == "") != (test.misread == "") || !strings.Contains(have, test.misread) {
			t.Errorf("%s: explained as %q, want %q", name, have, test.misread)
		}
	}
}
