package bitbucketd_test

import (
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
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

// Lists leave archived repositories out, unless they are asked for.
func TestArchivedRepositories(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.must(w.Change("archive", func(st *bitbucketd.State) error {
		st.Repo("INFRA", "vpc").Archived = true
		return nil
	}))
	const list = "GET " + api + "/repos?projectkey=INFRA"
	w.table([]row{
		{"default", admin, list, "", 200, `"size":1`, nil},
		{"active", admin, list + "&archived=ACTIVE", "", 200, `"archived":false`, nil},
		{"archived", admin, list + "&archived=ARCHIVED", "", 200, `"archived":true`, nil},
		{"all", admin, list + "&archived=ALL", "", 200, `"size":2`, nil},
		{"itself", admin, "GET " + vpc, "", 200, `"archived":true`, nil},
	})
}
