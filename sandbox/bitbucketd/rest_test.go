package bitbucketd_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const (
	api     = "/rest/api/1.0"
	vpc     = api + "/projects/INFRA/repos/vpc"
	noPerm  = "com.atlassian.bitbucket.AuthorisationException"
	badAuth = "IncorrectPasswordAuthenticationException"
)

func TestStrictness(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.table([]row{
		{"version is public", "", "GET " + api + "/application-properties", "", 200, `"version":"9.4.0","buildNumber":"9004000"`, nil},
		{"latest is an alias", "", "GET /rest/api/latest/application-properties", "", 200, "Bitbucket", nil},
		{"other versions are not", "", "GET /rest/api/2.0/application-properties", "", 404, `{"status-code":404,"message":"HTTP 404 Not Found","sub-code":-1}`, nil},
		{"bad password even there", "ann:wrong", "GET " + api + "/application-properties", "", 401, badAuth, nil},
		{"unknown user", "nobody:x", "GET " + api + "/users", "", 401, badAuth, nil},
		{"anonymous", "", "GET " + api + "/users", "", 401, noPerm, nil},
		{"unlicensed", guest, "GET " + api + "/users", "", 401, noPerm, nil},
		{"unlicensed lists projects", guest, "GET " + api + "/projects", "", 401, "", nil},
		{"unlicensed lists repositories", guest, "GET " + api + "/repos", "", 401, "", nil},
		{"unlicensed lists a project's", guest, "GET " + api + "/projects/INFRA/repos", "", 401, "", nil},
		{"forbidden is 401", svc, "GET " + vpc, "", 401, noPerm, nil},
		{"unknown repository", svc, "GET " + api + "/projects/INFRA/repos/nope", "", 404, "NoSuchRepositoryException", nil},
		{"unknown project", svc, "GET " + api + "/projects/NOPE/repos/vpc", "", 404, "NoSuchProjectException", nil},
		{"unknown path", admin, "GET " + api + "/hovercraft", "", 404, `{"status-code":404,"message":"HTTP 404 Not Found","sub-code":-1}`, nil},
		{"unknown method", admin, "PATCH " + vpc, "{}", 405, `{"status-code":405,"message":"HTTP 405 Method Not Allowed","sub-code":-1}`, nil},
		{"unknown method of no version", admin, "PATCH /rest/api/2.0/users", "{}", 404, "HTTP 404 Not Found", nil},
		{"unknown plugin path", admin, "GET /rest/applinks/3.0/eels", "", 404, `"status-code":404`, nil},
		{"unknown user slug", ann, "GET " + api + "/users/nope", "", 404, "NoSuchUserException", nil},
		{"slug is not the name", ann, "GET " + api + "/users/svc_corp", "", 200, `"name":"svc@corp"`, nil},
		{"bad start", ann, "GET " + api + "/users?start=x", "", 400, "start", nil},
		{"unknown field", admin, "PUT " + api + "/admin/users", `{"name":"ann","nickname":"A"}`, 400, "nickname", nil},
		{"wrong media", admin, "PUT " + api + "/admin/users", `{"name":"ann"}`, 415, "", []string{"Content-Type", "text/plain"}},
		{"json passes", admin, "PUT " + api + "/admin/users", `{"name":"ann","email":"a@b.c"}`, 200, "a@b.c", []string{"X-Atlassian-Token", ""}},
		{"status", "", "GET /status", "", 200, `{"state":"RUNNING"}`, nil},
		{"capabilities", "", "GET /rest/capabilities", "", 200, `"application":"stash"`, nil},
		{"license", ann, "GET " + api + "/admin/license", "", 401, noPerm, nil},
		{"license for an administrator", admin, "GET " + api + "/admin/license", "", 200, `"expiryDate":`, nil},
		{"rate limit settings", ann, "GET " + api + "/admin/rate-limit/settings", "", 200, `"capacity":60`, nil},
		{"ssh settings", ann, "GET /rest/ssh/1.0/settings", "", 200, `"port":7999`, nil},
		{"ssh settings anonymous", "", "GET /rest/ssh/1.0/settings", "", 401, noPerm, nil},
		{"whoami", svc, "GET /plugins/servlet/applinks/whoami", "", 200, "svc@corp", nil},
		{"basic auth config", root, "GET /rest/basicauth/latest/config", "", 200, `"block-requests":false`, nil},
		{"manifest", "", "GET /rest/applinks/1.0/manifest", "", 200, `"typeId":"stash"`, nil},
	})
	a := w.as(svc, "GET", api+"/application-properties", "")
	if a.header.Get("X-AUSERNAME") != "svc@corp" || a.header.Get("X-AUSERID") == "" || a.header.Get("X-AREQUESTID") == "" {
		t.Errorf("headers: %v", a.header)
	}
	if a := w.as("", "GET", api+"/application-properties", ""); a.header.Get("X-AUSERNAME") != "" {
		t.Errorf("anonymous has a name: %v", a.header)
	}
}

func TestVersionsDiffer(t *testing.T) {
	for _, tt := range []struct {
		version  string
		webhooks int
		tokens   int
		basic    int
		expiry   bool
	}{
		{"5.3.1", 404, 404, 404, false},
		{"7.11.2", 200, 200, 404, false},
		{"8.19.12", 200, 200, 200, true},
		{"9.4.0", 200, 200, 200, true},
	} {
		t.Run(tt.version, func(t *testing.T) {
			w := newWorld(t, bitbucketd.Options{Version: tt.version})
			w.want(w.as(admin, "GET", vpc+"/webhooks", ""), tt.webhooks)
			w.want(w.as(admin, "GET", "/rest/access-tokens/latest/users/admin", ""), tt.tokens)
			w.want(w.as(root, "GET", "/rest/basicauth/latest/config", ""), tt.basic)
			a := w.want(w.as(svc, "POST", "/rest/ssh/1.0/keys", fmt.Sprintf(`{"text":%q}`, newKey(t).line)), 201)
			if have := strings.Contains(a.body, "createdDate"); have != tt.expiry {
				t.Errorf("key: %s", a.body)
			}
			status := 400
			if tt.expiry {
				status = 201
			}
			w.want(w.as(svc, "POST", "/rest/ssh/1.0/keys", fmt.Sprintf(`{"text":%q,"expiryDays":3}`, newKey(t).line)), status)
		})
	}
}

func TestCaptcha(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	users := api + "/users"
	for range 4 {
		w.want(w.as("ann:wrong", "GET", users, ""), 401, badAuth)
	}
	w.want(w.as(ann, "GET", users, ""), 200) // forgets the failures
	for range 5 {
		w.want(w.as("ann:wrong", "GET", users, ""), 401, badAuth)
	}
	a := w.want(w.as(ann, "GET", users, ""), 401, "CaptchaRequiredAuthenticationException")
	if a.header.Get("WWW-Authenticate") != `Basic realm="Atlassian Bitbucket"` {
		t.Errorf("headers %v", a.header)
	}
	w.want(w.as(svc, "DELETE", api+"/admin/users/captcha?name=ann", ""), 401, noPerm)
	w.want(w.as(admin, "DELETE", api+"/admin/users/captcha?name=ann", ""), 204)
	w.want(w.as(ann, "GET", users, ""), 200)
}

func TestPages(t *testing.T) {
	for _, short := range []bool{false, true} {
		w := newWorld(t, bitbucketd.Options{ShortPages: short})
		for i := range 40 {
			w.must(w.AddUser(bitbucketd.Account{Name: fmt.Sprintf("user-%02d", i)}))
		}
		for _, limit := range []int{1, 2, 7, 25, 100} {
			list := all[struct{ Name string }](w, ann, fmt.Sprintf("%s/users?filter=user-&limit=%d", api, limit))
			if len(list) != 40 || list[39].Name != "user-39" {
				t.Errorf("short %t, limit %d: have %d users", short, limit, len(list))
			}
		}
		first := into[pageOf[struct{}]](w, w.as(ann, "GET", api+"/users?filter=user-&limit=10", ""))
		if short && (first.Size >= 10 || *first.NextPageStart == 10 || *first.NextPageStart == first.Size) {
			t.Errorf("the short page: %+v", first)
		}
		if !short && (first.Size != 10 || first.Limit != 10 || *first.NextPageStart != 10) {
			t.Errorf("the page: %+v", first)
		}
		if p := into[pageOf[struct{}]](w, w.as(ann, "GET", api+"/users?limit=5000", "")); p.Limit != 1000 {
			t.Errorf("limit %d", p.Limit)
		}
	}
}

func TestPermissions(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	users := vpc + "/permissions/users"
	w.table([]row{
		{"needs repo admin", svc, "GET " + users, "", 401, noPerm, nil},
		{"grant", admin, "PUT " + users + "?name=svc@corp&permission=REPO_WRITE", "", 204, "", nil},
		{"listed", admin, "GET " + users, "", 200, `"permission":"REPO_WRITE"`, nil},
		{"now readable", svc, "GET " + vpc, "", 200, `"slug":"vpc"`, nil},
		{"still no admin", svc, "GET " + users, "", 401, noPerm, nil},
		{"wrong scope", admin, "PUT " + users + "?name=svc@corp&permission=PROJECT_ADMIN", "", 400, "", nil},
		{"no permission", admin, "PUT " + users + "?name=svc@corp&permission=REPO_OWNER", "", 400, "", nil},
		{"unknown user", admin, "PUT " + users + "?name=nope&permission=REPO_READ", "", 404, "NoSuchUser", nil},
		{"slug is not the name", admin, "PUT " + users + "?name=svc_corp&permission=REPO_READ", "", 404, "NoSuchUser", nil},
		{"unknown group", admin, "PUT " + vpc + "/permissions/groups?name=nope&permission=REPO_READ", "", 404, "NoSuchGroup", nil},
		{"group", admin, "PUT " + vpc + "/permissions/groups?name=platform&permission=REPO_ADMIN", "", 204, "", nil},
		{"group lists", admin, "GET " + vpc + "/permissions/groups", "", 200, `{"group":{"name":"platform"},"permission":"REPO_ADMIN"}`, nil},
		{"group is effective", ann, "GET " + users, "", 200, "svc@corp", nil},
		{"effective is not listed", admin, "GET " + users + "?filter=ann", "", 200, `"size":0`, nil},
		{"would lower oneself", ann, "DELETE " + vpc + "/permissions/groups?name=platform", "", 409, "", nil},
		{"would lower oneself by put", ann, "PUT " + vpc + "/permissions/groups?name=platform&permission=REPO_READ", "", 403, "", nil},
		{"revoke", admin, "DELETE " + vpc + "/permissions/groups?name=platform", "", 204, "", nil},
		{"gone", ann, "GET " + users, "", 401, noPerm, nil},
		{"project", admin, "PUT " + api + "/projects/INFRA/permissions/users?name=svc@corp&permission=PROJECT_ADMIN", "", 204, "", nil},
		{"project implies", svc, "GET " + users, "", 200, "", nil},
		{"project group list", svc, "GET " + api + "/projects/INFRA/permissions/groups", "", 200, "", nil},
		{"personal project", ann, "GET " + api + "/projects/~ann/repos/notes/permissions/users", "", 200, "", nil},
		{"not others'", svc, "GET " + api + "/projects/~ann/repos/notes", "", 401, noPerm, nil},
		{"global needs admin", svc, "GET " + api + "/admin/permissions/users", "", 401, noPerm, nil},
		{"global", admin, "GET " + api + "/admin/permissions/users", "", 200, `"permission":"SYS_ADMIN"`, nil},
		{"more than one has", admin, "PUT " + api + "/admin/permissions/users?name=ann&permission=SYS_ADMIN", "", 401, "", nil},
		{"of one who has more", admin, "DELETE " + api + "/admin/permissions/users?name=root", "", 409, "", nil},
		{"oneself", admin, "DELETE " + api + "/admin/permissions/users?name=admin", "", 409, "", nil},
		{"still", admin, "GET " + api + "/admin/permissions/groups", "", 200, "stash-users", nil},
	})
}

func TestEffectivePermissionFilters(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.must(w.AddRepo("INFRA", "extra"))
	w.must(w.Grant("svc@corp", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoAdmin))
	w.must(w.Grant("@platform", bitbucketd.Place{Project: "INFRA"}, bitbucketd.ProjectRead))
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"permission=REPO_ADMIN&permission.projectKey=INFRA&permission.repositorySlug=vpc", []string{"admin", "root", "svc@corp"}},
		{"permission=REPO_READ&permission.projectKey=infra&permission.repositorySlug=VPC", []string{"admin", "ann", "root", "svc@corp"}},
		{"permission=REPO_ADMIN&permission.projectKey=INFRA&permission.repositorySlug=vpc&filter=svc", []string{"svc@corp"}},
		{"permission=PROJECT_READ&permission.projectKey=INFRA", []string{"admin", "ann", "root"}},
		{"permission=ADMIN", []string{"admin", "root"}},
		{"permission.1=REPO_READ&permission.1.projectKey=INFRA&permission.1.repositorySlug=vpc&permission.2=PROJECT_READ&permission.2.projectKey=INFRA&permission.3=ADMIN", []string{"admin", "root"}},
		{"permission.2=ADMIN", []string{"admin", "ann", "guest", "root", "svc@corp"}}, // numbering must begin with 1
		{"group=platform", []string{"ann"}},
	} {
		var have []string
		for _, u := range all[struct{ Name string }](w, svc, api+"/users?"+tt.query) {
			have = append(have, u.Name)
		}
		if diff := cmp.Diff(tt.want, have); diff != "" {
			t.Errorf("%s: %s", tt.query, diff)
		}
	}
	w.table([]row{
		{"unknown repository", svc, "GET " + api + "/users?permission=REPO_ADMIN&permission.projectKey=INFRA&permission.repositorySlug=x", "", 400, "permission.repositorySlug", nil},
		{"unknown project", svc, "GET " + api + "/users?permission=PROJECT_ADMIN&permission.projectKey=X", "", 400, "permission.projectKey", nil},
		{"no resource", svc, "GET " + api + "/users?permission.1=REPO_ADMIN", "", 400, "permission.1", nil},
		{"unknown permission", svc, "GET " + api + "/users?permission=OWNER", "", 400, "permission", nil},
	})
	var slugs []string
	for _, r := range all[struct{ Slug string }](w, svc, api+"/repos?permission=REPO_ADMIN") {
		slugs = append(slugs, r.Slug)
	}
	if !slices.Equal(slugs, []string{"vpc"}) {
		t.Errorf("repositories of svc: %v", slugs)
	}
	if n := len(all[struct{}](w, ann, api+"/repos?projectkey=INFRA")); n != 3 {
		t.Errorf("ann sees %d repositories", n)
	}
	if n := len(all[struct{}](w, ann, api+"/projects?permission=PROJECT_ADMIN")); n != 1 {
		t.Errorf("ann administers %d projects", n)
	}
}

// A fifty-first filter is dropped, though it would be an error or exclude all.
func TestFiftyFilters(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	var query strings.Builder
	for n := 1; n <= 50; n++ {
		fmt.Fprintf(&query, "&permission.%d=LICENSED_USER", n)
	}
	for last, status := range map[string]int{"&permission.51=NONSENSE": 200, "&permission=NONSENSE": 400} {
		w.want(w.as(ann, "GET", api+"/users?"+query.String()[1:]+last, ""), status)
	}
}

func TestCloneLinks(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{BaseURL: "http://bitbucket.example/git"})
	type repo struct {
		Links struct{ Clone []struct{ Href, Name string } }
	}
	links := func() map[string]string {
		out := map[string]string{}
		for _, l := range into[repo](w, w.want(w.as(admin, "GET", vpc, ""), 200)).Links.Clone {
			out[l.Name] = l.Href
		}
		return out
	}
	want := map[string]string{"ssh": "ssh://git@127.0.0.1:7999/infra/vpc.git", "http": w.url + "/scm/infra/vpc.git"}
	if diff := cmp.Diff(want, links()); diff != "" {
		t.Error(diff)
	}
	w.must(w.Configure(func(s *bitbucketd.Settings) { s.SSHDisabled = true }))
	delete(want, "ssh")
	if diff := cmp.Diff(want, links()); diff != "" {
		t.Error(diff)
	}
}

func TestUsersAndGroups(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	create := "POST " + api + "/admin/users?name=New&displayName=New+User&emailAddress=n@example.com&password=pw1"
	w.table([]row{
		{"not by others", svc, create, "", 401, noPerm, nil},
		{"incomplete", admin, "POST " + api + "/admin/users?name=New", "", 400, "displayName", nil},
		{"created", admin, create, "", 204, "", nil},
		{"twice", admin, create, "", 409, "", nil},
		{"logs in", "new:pw1", "GET " + api + "/users/new", "", 200, `"name":"New"`, nil},
		{"password", admin, "PUT " + api + "/admin/users/credentials", `{"name":"New","password":"pw2","passwordConfirm":"pw2"}`, 204, "", nil},
		{"passwords differ", admin, "PUT " + api + "/admin/users/credentials", `{"name":"New","password":"pw2","passwordConfirm":"pw3"}`, 400, "", nil},
		{"of one who has more", admin, "PUT " + api + "/admin/users/credentials", `{"name":"root","password":"a","passwordConfirm":"a"}`, 401, "", nil},
		{"old password", "new:pw1", "GET " + api + "/users/new", "", 401, badAuth, nil},
		{"new password", "new:pw2", "GET " + api + "/users/new", "", 200, "", nil},
		{"details", ann, "GET " + api + "/admin/users?filter=new", "", 200, `"directoryName":"Bitbucket Internal Directory"`, nil},
		{"group", admin, "POST " + api + "/admin/groups?name=ops", "", 200, `"ops"`, nil},
		{"group twice", admin, "POST " + api + "/admin/groups?name=ops", "", 409, "", nil},
		{"join", admin, "POST " + api + "/admin/users/add-groups", `{"user":"New","groups":["ops"]}`, 200, "", nil},
		{"join nothing", admin, "POST " + api + "/admin/users/add-groups", `{"user":"New","groups":["none"]}`, 404, "", nil},
		{"members", ann, "GET " + api + "/admin/groups/more-members?context=ops", "", 200, `"name":"New"`, nil},
		{"leave", admin, "POST " + api + "/admin/users/remove-group", `{"context":"New","itemName":"ops"}`, 200, "", nil},
		{"groups", ann, "GET " + api + "/admin/groups?filter=op", "", 200, `"size":1`, nil},
		{"group gone", admin, "DELETE " + api + "/admin/groups?name=ops", "", 200, "", nil},
		{"oneself", admin, "DELETE " + api + "/admin/users?name=admin", "", 409, "", nil},
		{"user gone", admin, "DELETE " + api + "/admin/users?name=new", "", 200, "", nil},
		{"really", "new:pw2", "GET " + api + "/users/new", "", 401, badAuth, nil},
	})
}

func TestProjectsAndRepositories(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.table([]row{
		{"not by all", ann, "POST " + api + "/projects", `{"key":"NET","name":"Net"}`, 401, noPerm, nil},
		{"project", admin, "POST " + api + "/projects", `{"key":"net","name":"Net"}`, 201, `"key":"NET"`, nil},
		{"twice", admin, "POST " + api + "/projects", `{"key":"NET","name":"Net"}`, 409, "", nil},
		{"bad key", admin, "POST " + api + "/projects", `{"key":"1 x","name":"Net"}`, 400, "", nil},
		{"repository", admin, "POST " + api + "/projects/NET/repos", `{"name":"Edge Routers","scmId":"git"}`, 201, `"slug":"edge-routers"`, nil},
		{"repository twice", admin, "POST " + api + "/projects/NET/repos", `{"name":"edge routers"}`, 409, "", nil},
		{"not seen", ann, "GET " + api + "/projects/NET", "", 401, noPerm, nil},
		{"listed", admin, "GET " + api + "/projects/NET/repos", "", 200, "edge-routers", nil},
		{"project", admin, "GET " + api + "/projects/net", "", 200, `"type":"NORMAL"`, nil},
		{"delete", admin, "DELETE " + api + "/projects/NET/repos/edge-routers", "", 202, "", nil},
		{"delete again", admin, "DELETE " + api + "/projects/NET/repos/edge-routers", "", 204, "", nil},
	})
}

func TestHTTPTokens(t *testing.T) {
	type token struct{ ID, Token string }
	for version, servlet := range map[string][2]int{"8.19.11": {200, 200}, "8.19.12": {302, 401}, "9.3.1": {200, 200}, "9.4.0": {302, 401}} {
		w := newWorld(t, bitbucketd.Options{Version: version})
		w.must(w.Grant("svc@corp", bitbucketd.Place{Project: "INFRA"}, bitbucketd.ProjectAdmin))
		path := "/rest/access-tokens/latest/users/svc_corp"
		made := into[token](w, w.want(w.as(svc, "PUT", path, `{"name":"t","permissions":["PROJECT_READ","REPO_WRITE"]}`), 200))
		bearer := "Bearer " + made.Token
		w.table([]row{
			{"global permission", admin, "PUT /rest/access-tokens/latest/users/admin", `{"name":"t","permissions":["ADMIN"]}`, 400, "ADMIN", nil},
			{"for another", admin, "PUT " + path, `{"name":"t","permissions":["REPO_READ"]}`, 401, noPerm, nil},
			{"reads", bearer, "GET " + vpc, "", 200, "vpc", nil},
			{"as password", "svc@corp:" + made.Token, "GET " + vpc, "", 200, "vpc", nil},
			{"no more than it may", bearer, "GET " + vpc + "/permissions/users", "", 401, noPerm, nil},
			{"makes no tokens", bearer, "PUT " + path, `{"name":"t","permissions":["REPO_READ"]}`, 401, noPerm, nil},
			{"no ssh keys", bearer, "GET /rest/ssh/1.0/keys", "", 401, noPerm, nil},
			{"wrong", "Bearer x", "GET " + vpc, "", 401, badAuth, nil},
			{"servlet", bearer, "GET /plugins/servlet/applinks/whoami", "", servlet[0], "", nil},
			{"servlet as password", "svc@corp:" + made.Token, "GET /plugins/servlet/applinks/whoami", "", servlet[1], "", nil},
			{"list", svc, "GET " + path, "", 200, `"name":"t"`, nil},
			{"delete", svc, "DELETE " + path + "/" + made.ID, "", 204, "", nil},
			{"gone", bearer, "GET " + vpc, "", 401, badAuth, nil},
			{"delete again", svc, "DELETE " + path + "/" + made.ID, "", 404, "", nil},
		})
		text, err := w.AddHTTPToken("root", "t", bitbucketd.ProjectAdmin)
		w.must(err)
		w.want(w.as("Bearer "+text, "GET", "/rest/applinks/3.0/applinks", ""), 403, `"status":403`)
		w.want(w.as("Bearer "+text, "GET", api+"/admin/permissions/users", ""), 401, noPerm)
	}
}

// On a server that confines tokens, using one as password on a page locks the account.
func TestATokenOnAPageLocksTheAccount(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	token, err := w.AddHTTPToken("ann", "t", bitbucketd.RepoRead)
	w.must(err)
	for range 5 {
		w.want(w.as("ann:"+token, "GET", "/plugins/servlet/applinks/whoami", ""), 401, badAuth)
	}
	w.want(w.as(ann, "GET", api+"/users", ""), 401, "CaptchaRequired")
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	dir := t.TempDir()
	var told atomic.Int64
	w.OnWrite(func(string) { told.Add(1) })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			org := fmt.Sprintf("https://terraform.example/app/org-%d", i)
			if a := w.as(admin, "PUT", links, linkJSON("Terraform", org)); a.status != 201 {
				t.Errorf("link: %d %s", a.status, a.body)
			}
			if a := w.as(admin, "POST", sshKeys+"?user=ann", fmt.Sprintf(`{"text":%q}`, newKey(t).line)); a.status != 201 {
				t.Errorf("key: %d %s", a.status, a.body)
			}
			if err := w.Save(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	names := map[string]bool{}
	for _, l := range into[[]struct{ Name string }](w, w.as(admin, "GET", linksV3, "")) {
		names[l.Name] = true
	}
	if len(names) != 8 || len(w.KeysOf("ann")) != 8 || told.Load() != 16 {
		t.Errorf("have %d names, %d keys, %d writes told", len(names), len(w.KeysOf("ann")), told.Load())
	}
}

func TestMaintenanceAndStarting(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	for state, status := range map[string]int{"STARTING": 503, "MAINTENANCE": 200, "FIRST_RUN": 200} {
		w.must(w.Configure(func(s *bitbucketd.Settings) { s.ServerState = state }))
		w.want(w.as("", "GET", "/status", ""), status, state)
	}
}

func TestContextPath(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{BaseURL: "http://bitbucket.example/git"})
	w.want(w.as("", "GET", api+"/application-properties", ""), 200)
	outside := &http.Request{Method: "GET", URL: mustURL(t, strings.TrimSuffix(w.url, "/git")+api+"/application-properties")}
	w.want(w.do(outside.WithContext(t.Context())), 404)
}

func TestSaveAndLoad(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	dir := t.TempDir()
	if have, err := w.Load(dir); have || err != nil {
		t.Fatalf("load of nothing: %t, %v", have, err)
	}
	w.must(w.Grant("ann", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoAdmin))
	w.must(w.Save(dir))
	want, err := w.Snapshot()
	w.must(err)
	w.must(w.Grant("ann", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, ""))
	if have, err := w.Load(dir); !have || err != nil {
		t.Fatalf("load: %t, %v", have, err)
	}
	have, err := w.Snapshot()
	w.must(err)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	w.want(w.as(ann, "GET", vpc+"/permissions/users", ""), 200)
}

func TestOnWrite(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	var heard []string
	w.OnWrite(func(what string) {
		heard = append(heard, what)
		w.as(admin, "GET", api+"/users", "") // may ask the server
	})
	w.as(ann, "GET", api+"/users", "")
	w.as("ann:wrong", "GET", api+"/users", "")
	if heard != nil {
		t.Errorf("reading was told: %v", heard)
	}
	w.want(w.as(admin, "PUT", vpc+"/permissions/users?name=ann&permission=REPO_READ", ""), 204)
	w.must(w.AddGroup("ops"))
	want := []string{`permission of ann on INFRA/vpc: "REPO_READ", was ""`, "adding group ops"}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Error(diff)
	}
}
