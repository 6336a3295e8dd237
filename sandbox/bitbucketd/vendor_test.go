package bitbucketd_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/openapicheck"
)

// Every operation that the vendor's document has, as far as it is served, is done
// once with success, and its answer held against the document.
func TestEveryOperationOfTheVendor(t *testing.T) {
	doc, err := openapicheck.Bitbucket()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, bitbucketd.Options{Check: doc.Check})
	w.must(w.SetPlugin(bitbucketd.Plugin{Key: plugin, Version: "1", Enabled: true}))
	k := newKey(t)
	do := func(body string, calls ...string) (last answer) {
		t.Helper()
		for _, call := range calls {
			method, path, _ := strings.Cut(call, " ")
			if last = w.as(admin, method, path, body); last.status >= 300 {
				t.Errorf("%s: %d %s", call, last.status, last.body)
			}
		}
		return last
	}
	adm := api + "/admin"
	do("", "GET "+api+"/application-properties", "GET "+api+"/users", "GET "+api+"/users/ann", "GET "+adm+"/users", "GET "+adm+"/groups",
		"POST "+adm+"/users?name=tmp&displayName=T&emailAddress=t@example.com&password=p", "POST "+adm+"/groups?name=g",
		"GET "+adm+"/groups/more-members?context=platform", "GET "+adm+"/rate-limit/settings", "DELETE "+adm+"/users/captcha?name=ann",
		"GET "+api+"/projects", "GET "+api+"/projects/INFRA", "GET "+api+"/projects/INFRA/repos", "GET "+api+"/repos", "GET "+vpc,
		"GET /rest/ssh/1.0/settings", "GET "+sshKeys)
	do(`{"name":"ann","displayName":"Ann"}`, "PUT "+adm+"/users")
	do(`{"name":"ann","password":"x","passwordConfirm":"x"}`, "PUT "+adm+"/users/credentials")
	do(`{"user":"tmp","groups":["g"]}`, "POST "+adm+"/users/add-groups")
	do(`{"context":"tmp","itemName":"g"}`, "POST "+adm+"/users/remove-group")
	for path, permission := range map[string]string{adm: "PROJECT_CREATE", api + "/projects/INFRA": "PROJECT_READ", vpc: "REPO_READ"} {
		do("", "PUT "+path+"/permissions/users?name=tmp&permission="+permission, "GET "+path+"/permissions/users", "DELETE "+path+"/permissions/users?name=tmp",
			"PUT "+path+"/permissions/groups?name=g&permission="+permission, "GET "+path+"/permissions/groups", "DELETE "+path+"/permissions/groups?name=g")
	}
	do("", "DELETE "+adm+"/groups?name=g", "DELETE "+adm+"/users?name=tmp")
	do(`{"key":"NEW","name":"New"}`, "POST "+api+"/projects")
	do(`{"description":"d"}`, "PUT "+api+"/projects/NEW")
	do(`{"name":"one"}`, "POST "+api+"/projects/NEW/repos")
	do(`{"description":"d"}`, "PUT "+api+"/projects/NEW/repos/one")
	do("", "DELETE "+api+"/projects/NEW/repos/one", "DELETE "+api+"/projects/NEW")

	made := into[struct{ ID int }](w, do(fmt.Sprintf(`{"text":%q,"expiryDays":9}`, k.line), "POST "+sshKeys))
	do("", fmt.Sprintf("GET %s/%d", sshKeys, made.ID), fmt.Sprintf("DELETE %s/%d", sshKeys, made.ID), "DELETE "+sshKeys)
	tokens := "/rest/access-tokens/latest/users/admin"
	token := into[struct{ ID string }](w, do(`{"name":"t","permissions":["REPO_READ"]}`, "PUT "+tokens))
	do(`{"name":"u"}`, "POST "+tokens+"/"+token.ID)
	do("", "GET "+tokens, "GET "+tokens+"/"+token.ID, "DELETE "+tokens+"/"+token.ID)

	hooks := vpc + "/webhooks"
	body := `{"name":"n","url":"https://a.example","events":["repo:refs_changed"]}`
	made = into[struct{ ID int }](w, do(body, "POST "+hooks))
	one := fmt.Sprintf("%s/%d", hooks, made.ID)
	do(body, "PUT "+one)
	do("", "GET "+hooks, "GET "+hooks+"/search", "GET "+one, "GET "+one+"/latest", "GET "+one+"/statistics", "GET "+one+"/statistics/summary", "DELETE "+one)
	do(`{"hook-url-0":"https://a.example"}`, "PUT "+hook+"/settings")
	do("", "GET "+vpc+"/settings/hooks", "GET "+hook, "PUT "+hook+"/enabled", "GET "+hook+"/settings", "DELETE "+hook+"/enabled", "DELETE "+hook)

	checked := doc.Checked()
	for _, op := range doc.Operations() {
		if !slices.ContainsFunc([]int{200, 201, 202, 204}, func(status int) bool { return checked[fmt.Sprintf("%s %d", op, status)] > 0 }) {
			t.Errorf("not done: %s", op)
		}
	}
}

// A check that cannot fail proves nothing.
func TestTheCheckBites(t *testing.T) {
	doc, err := openapicheck.Bitbucket()
	if err != nil {
		t.Fatal(err)
	}
	json := http.Header{"Content-Type": {"application/json;charset=UTF-8"}}
	for _, tt := range []struct {
		call   string
		status int
		body   string
		bad    bool
	}{
		{"GET /rest/api/1.0/application-properties", 200, `{"version":"9.4.0"}`, false},
		{"GET /rest/api/1.0/application-properties", 200, `{"version":9}`, true},
		{"GET /rest/api/1.0/application-properties", 302, ``, true},
		{"GET /rest/api/latest/users", 200, `{"name":"ann"}`, true},
		{"GET /rest/api/latest/users", 401, `{"message":"no"}`, true},
		{"GET /rest/ssh/1.0/keys", 200, `{"values":[{"id":"one"}]}`, true},
		{"GET /rest/api/1.0/projects/P/repos/r/webhooks/1", 200, `{"name":"without id"}`, true},
		{"GET /rest/applinks/3.0/applinks", 200, `what the document does not have`, false},
	} {
		method, path, _ := strings.Cut(tt.call, " ")
		r := (&http.Request{Method: method, URL: mustURL(t, "http://bitbucket.example"+path)}).WithContext(t.Context())
		if err := doc.Check(r, tt.status, json, []byte(tt.body)); (err != nil) != tt.bad {
			t.Errorf("%s %d %s: %v", tt.call, tt.status, tt.body, err)
		}
	}
	for _, d := range openapicheck.BitbucketDefects() {
		if d.Name == "" || d.Why == "" {
			t.Errorf("a defect without name or reason: %+v", d)
		}
	}
}
