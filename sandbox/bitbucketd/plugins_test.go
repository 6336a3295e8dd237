package bitbucketd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

const (
	upm    = "/rest/plugins/1.0/"
	plugin = "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin"
	basic  = "?os_authType=basic"
	hook   = vpc + "/settings/hooks/" + plugin + ":postReceiveHook"
	jar    = "https://marketplace.example/" + plugin + ".jar"
)

func TestPluginManager(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{Version: "5.3.1"})
	one := upm + plugin + "-key" + basic
	install := []string{"Content-Type", "application/vnd.atl.plugins.install.uri+json"}
	media := []string{"Content-Type", "application/vnd.atl.plugins.plugin+json"}
	w.table([]row{
		{"needs admin", ann, "GET " + upm + basic, "", 401, "", nil},
		{"needs the query", admin, "GET " + upm, "", 401, "", nil},
		{"absent", admin, "GET " + one, "", 404, "", nil},
		{"hook absent", admin, "GET " + hook, "", 404, "NoSuchRepositoryHook", nil},
		{"no token", admin, "POST " + upm + basic, `{"pluginUri":"` + jar + `","pluginName":"x"}`, 403, "", install},
	})
	token := w.want(w.as(admin, "GET", upm+basic, ""), 200).header.Get("upm-token")
	type task struct {
		Status struct {
			Done    bool
			SubCode string
		}
		Links struct{ Self string }
	}
	run := func(uri string) task {
		t.Helper()
		a := w.want(w.as(admin, "POST", upm+basic+"&token="+token, fmt.Sprintf(`{"pluginUri":%q,"pluginName":"x"}`, uri), install...), 202)
		last := into[task](w, a)
		for range 5 {
			if last = into[task](w, w.want(w.as(admin, "GET", into[task](w, a).Links.Self+basic, ""), 200)); last.Status.Done {
				return last
			}
		}
		t.Fatal("never done")
		return task{}
	}
	if last := run("https://nowhere.example/x.jar"); last.Status.SubCode == "" {
		t.Errorf("have %+v", last)
	}
	if last := run(jar); last.Status.SubCode != "" {
		t.Errorf("have %+v", last)
	}
	document := w.want(w.as(admin, "GET", one, ""), 200, `"enabled":true`).body
	w.table([]row{
		{"wrong media", admin, "PUT " + one, document, 415, "", nil},
		{"disable", admin, "PUT " + one, strings.Replace(document, `"enabled":true`, `"enabled":false`, 1), 200, `"enabled":false`, media},
		{"hook gone", admin, "GET " + hook, "", 404, "", nil},
		{"enable", admin, "PUT " + one, `{"enabled":true}`, 200, `"enabled":true`, media},
		{"says nothing", admin, "PUT " + one, `{}`, 400, "", media},
		{"hook there", admin, "GET " + hook, "", 200, `"enabled":false,"configured":false`, nil},
		{"task unknown", admin, "GET " + upm + "pending/x" + basic, "", 404, "", nil},
	})
}

func TestRepositoryHooks(t *testing.T) {
	for _, needsURL := range []bool{false, true} {
		w := newWorld(t, bitbucketd.Options{Version: "5.3.1", HookNeedsURL: needsURL})
		w.must(w.SetPlugin(bitbucketd.Plugin{Key: plugin, Name: "hooks", Version: "1", Enabled: true}))
		status := 200
		if needsURL {
			status = 400
		}
		w.table([]row{
			{"needs repo admin", ann, "PUT " + hook + "/enabled", "", 401, noPerm, nil},
			{"no settings", admin, "GET " + hook + "/settings", "", 204, "", nil},
			{"enable without settings", admin, "PUT " + hook + "/enabled", "", status, "", nil},
			{"settings", admin, "PUT " + hook + "/settings", `{"hook-url-0":"https://a.example"}`, 200, "hook-url-0", nil},
			{"sixth url", admin, "PUT " + hook + "/settings", `{"hook-url-5":"https://a.example"}`, 400, "hook-url-5", nil},
			{"too large", admin, "PUT " + hook + "/settings", `{"hook-url-0":"` + strings.Repeat("x", 33<<10) + `"}`, 400, "", nil},
			{"enable with settings", admin, "PUT " + hook + "/enabled", `{"hook-url-0":"https://b.example"}`, 200, `"enabled":true,"configured":true`, nil},
			{"read", admin, "GET " + hook + "/settings", "", 200, "https://b.example", nil},
			{"list", admin, "GET " + vpc + "/settings/hooks?type=POST_RECEIVE", "", 200, `"size":1`, nil},
			{"disable", admin, "DELETE " + hook + "/enabled", "", 200, `"enabled":false,"configured":true`, nil},
			{"delete", admin, "DELETE " + hook, "", 204, "", nil},
			{"unknown", admin, "GET " + vpc + "/settings/hooks/none:none", "", 404, "NoSuchRepositoryHook", nil},
		})
	}
}

func TestWebhooks(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	hooks := vpc + "/webhooks"
	body := func(name, url, event string) string {
		return fmt.Sprintf(`{"name":%q,"url":%q,"events":[%q],"configuration":{"secret":"12345"},"active":true}`, name, url, event)
	}
	w.must(w.Grant("svc@corp", bitbucketd.Place{Project: "INFRA", Repo: "vpc"}, bitbucketd.RepoWrite))
	w.table([]row{
		{"needs repo admin", svc, "POST " + hooks, body("n", "https://a.example", "repo:refs_changed"), 401, noPerm, nil},
		{"no name", admin, "POST " + hooks, body("", "https://a.example", "repo:refs_changed"), 400, `"context":"name"`, nil},
		{"no url", admin, "POST " + hooks, body("n", "a.example", "repo:refs_changed"), 400, `"context":"url"`, nil},
		{"no event", admin, "POST " + hooks, body("n", "https://a.example", "repo:eaten"), 400, `"context":"events"`, nil},
		{"unknown", admin, "GET " + hooks + "/77", "", 404, "", nil},
	})
	made := into[struct{ ID int }](w, w.want(w.as(admin, "POST", hooks, body("n", "https://a.example", "repo:refs_changed")), 201, `"secret":"12345"`, `"scopeType":"repository"`))
	one := fmt.Sprintf("%s/%d", hooks, made.ID)
	w.table([]row{
		{"read", admin, "GET " + one, "", 200, `"active":true`, nil},
		{"update", admin, "PUT " + one, strings.Replace(body("m", "https://b.example", "pr:opened"), `"active":true`, `"active":false`, 1), 200, `"active":false`, nil},
		{"list", admin, "GET " + hooks, "", 200, "https://b.example", nil},
		{"by event", admin, "GET " + hooks + "?event=repo:refs_changed", "", 200, `"size":0`, nil},
		{"search", admin, "GET " + hooks + "/search?scopeType=repository", "", 200, `"size":1`, nil},
		{"latest", admin, "GET " + one + "/latest", "", 204, "", nil},
		{"statistics", admin, "GET " + one + "/statistics", "", 200, "{}", nil},
		{"summary", admin, "GET " + one + "/statistics/summary", "", 200, "{}", nil},
		{"delete", admin, "DELETE " + one, "", 204, "", nil},
		{"delete again", admin, "DELETE " + one, "", 404, "", nil},
	})
}
