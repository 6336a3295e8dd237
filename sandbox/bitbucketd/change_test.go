package bitbucketd_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// What is moved or renamed over REST is found again, and told of at its old address.
func TestMovedOverREST(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.table([]row{
		{"a project that a member may not change", ann, "PUT " + api + "/projects/INFRA", `{"name":"x"}`, 401, "", nil},
		{"another project", root, "POST " + api + "/projects", `{"key":"NEW","name":"New"}`, 201, "", nil},
		{"a description", root, "PUT " + api + "/projects/NEW", `{"description":"d"}`, 200, `"description":"d"`, nil},
		{"a key that is taken", root, "PUT " + api + "/projects/NEW", `{"key":"INFRA"}`, 409, "ProjectAlreadyExists", nil},
		{"into another project", root, "PUT " + vpc, `{"project":{"key":"NEW"}}`, 201, `"key":"NEW"`, nil},
		{"its old address", root, "GET " + vpc, "", 301, "RepositoryMovedException", nil},
		{"a write at its old address", root, "PUT " + vpc + "/permissions/users?name=ann&permission=REPO_READ", "", 301, "RepositoryMovedException", nil},
		{"a name", root, "PUT " + api + "/projects/NEW/repos/vpc", `{"name":"VPC two"}`, 201, `"slug":"vpc-two"`, nil},
		{"a project that is not empty", root, "DELETE " + api + "/projects/NEW", "", 409, "has repositories", nil},
		{"another key", root, "PUT " + api + "/projects/NEW", `{"key":"NEWER"}`, 201, `"key":"NEWER"`, nil},
		{"the old key", root, "GET " + api + "/projects/NEW", "", 301, "ProjectMovedException", nil},
		{"a repository under the old key", root, "GET " + api + "/projects/NEW/repos/vpc-two", "", 301, "NEWER/vpc-two", nil},
		{"the repository", root, "GET " + api + "/projects/NEWER/repos/vpc-two", "", 200, "", nil},
		{"deleted", root, "DELETE " + api + "/projects/NEWER/repos/vpc-two", "", 202, "", nil},
		{"empty", root, "DELETE " + api + "/projects/NEWER", "", 204, "", nil},
	})
}

// An archived repository is not changed, save to be unarchived. Whether permissions,
// hooks and webhooks of it can be changed is not known: both are there.
func TestArchivedRepositoriesAreNotChanged(t *testing.T) {
	grant := "PUT " + vpc + "/permissions/users?name=ann&permission=REPO_READ"
	hook := `{"name":"n","url":"https://a.example","events":["repo:refs_changed"]}`
	for _, frozen := range []bool{false, true} {
		w := newWorld(t, bitbucketd.Options{Version: "9.4.0"})
		w.must(w.Change("archive", func(st *bitbucketd.State) error {
			st.Repo("INFRA", "vpc").Archived, st.Settings.ArchivedFrozen = true, frozen
			return nil
		}))
		status, made := 204, 201
		if frozen {
			status, made = 409, 409
		}
		w.table([]row{
			{"its name", root, "PUT " + vpc, `{"name":"other"}`, 409, "RepositoryArchivedException", nil},
			{"a read", root, "GET " + vpc + "/permissions/users", "", 200, "", nil},
			{"a permission", root, grant, "", status, "", nil},
			{"a webhook", root, "POST " + vpc + "/webhooks", hook, made, "", nil},
			{"unarchived", root, "PUT " + vpc, `{"archived":false}`, 200, `"archived":false`, nil},
			{"a permission then", root, grant, "", 204, "", nil},
		})
	}
}

func TestHTTPTokensByID(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	tokens := "/rest/access-tokens/latest/users/ann"
	made := into[struct{ ID, Token string }](w, w.as(ann, "PUT", tokens, `{"name":"t","permissions":["REPO_READ"]}`))
	w.table([]row{
		{"read", ann, "GET " + tokens + "/" + made.ID, "", 200, `"name":"t"`, nil},
		{"by an administrator", root, "GET " + tokens + "/" + made.ID, "", 200, "", nil},
		{"by another user", svc, "GET " + tokens + "/" + made.ID, "", 401, "", nil},
		{"changed", ann, "POST " + tokens + "/" + made.ID, `{"name":"u","permissions":["PROJECT_READ"]}`, 200, `"PROJECT_READ"`, nil},
		{"with a global permission", ann, "POST " + tokens + "/" + made.ID, `{"permissions":["ADMIN"]}`, 400, "", nil},
		{"an unknown one", ann, "GET " + tokens + "/1", "", 404, "", nil},
	})
	if got := w.as("Bearer "+made.Token, "GET", api+"/users/ann", ""); got.status != http.StatusOK {
		t.Errorf("the token itself stays: %d", got.status)
	}
}

func TestWhoHasPermissions(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.must(w.Grant("ann", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoWrite))
	w.must(w.Grant("svc@corp", bitbucketd.Place{Project: "INFRA"}, bitbucketd.ProjectRead))
	w.table([]row{
		{"on the repository", root, "GET " + vpc + "/permissions/search", "", 200, `"permission":"REPO_WRITE"`, nil},
		{"on the project", root, "GET " + api + "/projects/INFRA/permissions/search?filterText=SVC&type=USER", "", 200, `"size":1`, nil},
		{"by permission", root, "GET " + api + "/projects/INFRA/permissions/search?permission=PROJECT_ADMIN", "", 200, `"size":0`, nil},
		{"without the right", ann, "GET " + vpc + "/permissions/search", "", 401, "", nil},
	})
}

// git runs git and returns its output.
func (w *world) git(dir string, args ...string) (string, error) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", append([]string{"-c", "user.name=ann", "-c", "user.email=ann@example.com"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "HOME="+w.t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The clone links of HTTP lead to git, for who may use it.
func TestGitOverHTTP(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{Version: "9.4.0"})
	w.must(w.Grant("ann", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoWrite))
	address := func(who, repo string) string {
		return strings.Replace(w.url, "://", "://"+who+"@", 1) + "/scm/" + repo + ".git"
	}
	dir := t.TempDir()
	if out, err := w.git(dir, "clone", address(ann, "infra/vpc"), "vpc"); err != nil {
		t.Fatalf("clone: %s", out)
	}
	clone := filepath.Join(dir, "vpc")
	if err := os.WriteFile(filepath.Join(clone, "new.tf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"add", "."}, {"commit", "--quiet", "-m", "new"}, {"push", "--quiet"}} {
		if out, err := w.git(clone, args...); err != nil {
			t.Fatalf("%s: %s", args, out)
		}
	}
	for name, c := range map[string]struct{ who, repo, want string }{
		"a wrong password": {"ann:x", "infra/vpc", "Authentication failed"},
		"no permission":    {svc, "infra/vpc", "not found"},
		"no licence":       {guest, "infra/vpc", "403"},
		"no repository":    {root, "infra/nothing", "not found"},
	} {
		if out, err := w.git(dir, "clone", address(strings.Replace(c.who, "svc@", "svc%40", 1), c.repo), "x"); err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %s", name, out)
		}
	}
	made := w.as(root, "POST", api+"/projects/INFRA/repos", `{"name":"fresh"}`)
	if out, err := w.git(dir, "ls-remote", address(root, "infra/fresh")); made.status != http.StatusCreated || err != nil || out != "" {
		t.Errorf("a new repository is empty: %d, %q, %v", made.status, out, err)
	}
	w.must(w.Change("archive", func(st *bitbucketd.State) error {
		st.Repo("INFRA", "vpc").Archived = true
		return nil
	}))
	if out, err := w.git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/other"); err == nil {
		t.Errorf("a push to an archived repository: %s", out)
	}
}
