package bitbucketd_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/sandbox/bitbucketd"
)

// What the vendor's document lets callers send is taken, and kept where it is shown.
func TestFieldsOfProjectsAndRepositories(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	const repos = api + "/projects/NEW/repos"
	w.table([]row{
		{"project", admin, "POST " + api + "/projects", `{"key":"NEW","name":"New","description":"d","public":true,"avatar":"data:image/png;base64,AA=="}`, 201, `"description":"d","public":true`, nil},
		{"project again", admin, "GET " + api + "/projects/NEW", "", 200, `"description":"d"`, nil},
		{"repository", admin, "POST " + repos, `{"name":"One","scmId":"git","slug":"one","forkable":false,"description":"r","public":true,"defaultBranch":"main","project":{"key":"NEW"}}`, 201, `"description":"r"`, nil},
		{"repository again", admin, "GET " + repos + "/one", "", 200, `"forkable":false`, nil},
		{"forkable unless told", admin, "POST " + repos, `{"name":"Two"}`, 201, `"forkable":true`, nil},
	})
}
