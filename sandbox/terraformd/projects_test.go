package terraformd_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/terraformd"
)

func TestNamesAndVersions(t *testing.T) {
	w := newWorld(t, terraformd.Options{})
	const projects, workspaces = "/api/v2/organizations/acme/projects", "/api/v2/organizations/acme/workspaces"
	for name, status := range map[string]int{
		"Team_1 of-all": http.StatusCreated, "ab": 422, " front": 422, "back ": 422, "a/b-c": 422, "a.b.c": 422, strings.Repeat("a", 41): 422,
	} {
		body := `{"data":{"type":"projects","attributes":{"name":"` + name + `"}}}`
		if a := w.do(t, owner, "POST", projects, body); a.status != status {
			t.Errorf("project %q: %d %s", name, a.status, a.body)
		}
	}
	if a := w.do(t, owner, "GET", projects+"?q=TEAM", ""); !strings.Contains(a.body, "Team_1 of-all") {
		t.Errorf("search: %s", a.body)
	}
	for version, status := range map[string]int{
		"1.9.5": http.StatusCreated, "~> 1.10.0": http.StatusCreated, ">= 1.5, < 2.0": http.StatusCreated, "latest": http.StatusCreated, "newest": 422, "1.x": 422,
	} {
		name := strings.NewReplacer(" ", "", ".", "", "~", "t", ">", "g", "<", "l", "=", "", ",", "").Replace(version)
		body := `{"data":{"type":"workspaces","attributes":{"name":"w` + name + `","terraform-version":"` + version + `"}}}`
		if a := w.do(t, owner, "POST", workspaces, body); a.status != status {
			t.Errorf("version %q: %d %s", version, a.status, a.body)
		}
	}
}
