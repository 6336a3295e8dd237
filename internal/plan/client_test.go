package plan_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

func TestClientInPlace(t *testing.T) {
	known := func() plan.Have {
		have := inSync()
		have.Projects = map[string]string{"app": "prj-1", "net": "prj-2"}
		have.Pools = map[string]string{"dmz": "apool-1"}
		return have
	}
	scoped := func(projects ...string) func(*schema.Connection) {
		return func(c *schema.Connection) { c.OrganizationScoped, c.Projects = false, projects }
	}
	runDiff(t, known, []diffCase{{
		name:    "from the whole organization to projects",
		want:    scoped("net", "app"),
		steps:   []plan.Step{plan.UpdateClient{ID: "oc-1", Scoped: new(false), Projects: &[]string{"app", "net"}}},
		reasons: []string{"organization-scoped: true -> false", "projects: none -> app, net"},
	}, {
		name:    "from projects to the whole organization",
		have:    func(h *plan.Have) { h.Clients[0].Scoped, h.Clients[0].Projects = false, []string{"prj-2", "prj-1"} },
		steps:   []plan.Step{plan.UpdateClient{ID: "oc-1", Scoped: new(true), Projects: &[]string{}}},
		reasons: []string{"organization-scoped: false -> true", "projects: app, net -> none"},
	}, {
		name: "the same projects in another order",
		want: scoped("net", "app"),
		have: func(h *plan.Have) { h.Clients[0].Scoped, h.Clients[0].Projects = false, []string{"prj-2", "prj-1"} },
	}, {
		name:    "a project that has no name here",
		want:    scoped("app"),
		have:    func(h *plan.Have) { h.Clients[0].Scoped, h.Clients[0].Projects = false, []string{"prj-1", "prj-9"} },
		steps:   []plan.Step{plan.UpdateClient{ID: "oc-1", Projects: &[]string{"app"}}},
		reasons: []string{"projects: app, prj-9 -> app"},
	}, {
		name:    "through an agent pool",
		want:    func(c *schema.Connection) { c.AgentPool = "dmz" },
		steps:   []plan.Step{plan.UpdateClient{ID: "oc-1", AgentPool: new("dmz")}},
		reasons: []string{"agent pool: none -> dmz"},
	}, {
		name:    "through no agent pool any more",
		have:    func(h *plan.Have) { h.Clients[0].AgentPool = "apool-1" },
		steps:   []plan.Step{plan.UpdateClient{ID: "oc-1", AgentPool: new("")}},
		reasons: []string{"agent pool: apool-1 -> none"},
	}, {
		name: "everything in one update",
		want: func(c *schema.Connection) { scoped("app")(c); c.AgentPool = "dmz" },
		have: func(h *plan.Have) { h.Clients[0].Name, h.Clients[0].Fingerprint = "x", "rsa-x" },
		steps: []plan.Step{plan.ProveConsumer{}, plan.UpdateClient{
			ID: "oc-1", Name: new("Bitbucket (corp)"), Keys: true, Scoped: new(false), Projects: &[]string{"app"}, AgentPool: new("dmz"),
		}, proveRepos},
		notes: []string{"may not outlive"},
	}})
}

func TestClientImmutable(t *testing.T) {
	runDiff(t, inSync, []diffCase{{
		name:  "API URL",
		have:  func(h *plan.Have) { h.Clients[0].APIURL = "https://bitbucket.example/git" },
		notes: []string{"has API URL https://bitbucket.example/git, want https://bitbucket.example, which Terraform cannot change; to move to another URL, describe it as a bitbucket block of its own"},
		state: plan.StateInSync,
	}, {
		name:  "HTTP URL",
		have:  func(h *plan.Have) { h.Clients[0].HTTPURL = "https://old.example" },
		notes: []string{"has HTTP URL https://old.example, want https://bitbucket.example/git, which Terraform cannot change"},
	}, {
		name: "URLs typed another way",
		have: func(h *plan.Have) {
			h.Clients[0].HTTPURL, h.Clients[0].APIURL = "https://Bitbucket.example/git/", "https://bitbucket.EXAMPLE/"
		},
	}, {
		name:  "service provider",
		have:  func(h *plan.Have) { h.Clients[0].ServiceProvider = "bitbucket_server" },
		notes: []string{"is of service provider bitbucket_server; a new one would be bitbucket_data_center"},
	}, {
		name: "service provider as the files say",
		want: func(c *schema.Connection) { c.ServiceProvider = "bitbucket_server" },
		have: func(h *plan.Have) { h.Clients[0].ServiceProvider = "bitbucket_server" },
	}})
}

func TestServiceProvider(t *testing.T) {
	for version, want := range map[string]string{
		"4.9.1": "bitbucket_server_legacy", "5.3.1": "bitbucket_server_legacy",
		"5.4.0": "bitbucket_server", "5.10.0-eap": "bitbucket_server", "7.21.12": "bitbucket_server",
		"8.0.0": "bitbucket_data_center", "8.0-eap01": "bitbucket_data_center", "9": "bitbucket_data_center", "10.2.1": "bitbucket_data_center",
	} {
		if got := plan.ServiceProvider(aConnection(), version); got != want {
			t.Errorf("Bitbucket %s: %s, want %s", version, got, want)
		}
	}
	c := aConnection()
	c.Bitbucket.ServiceProvider = "bitbucket_server"
	if got := plan.ServiceProvider(c, "9.4.0"); got != "bitbucket_server" {
		t.Errorf("%s, want what the Bitbucket's block says", got)
	}
	c.ServiceProvider = "bitbucket_server_legacy"
	if got := plan.ServiceProvider(c, "9.4.0"); got != "bitbucket_server_legacy" {
		t.Errorf("%s, want what the connection says", got)
	}
}

func TestAPIURL(t *testing.T) {
	for httpURL, want := range map[string]string{
		"https://bitbucket.example":          "https://bitbucket.example",
		"https://bitbucket.example:8443/git": "https://bitbucket.example:8443",
		"http://[::1]:7990/a/b":              "http://[::1]:7990",
	} {
		if got := plan.APIURL(httpURL); got != want {
			t.Errorf("API URL of %s: %s, want %s", httpURL, got, want)
		}
	}
}
