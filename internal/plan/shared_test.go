package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/schema"
)

func TestDiffBitbucket(t *testing.T) {
	const old = "works, but Terraform's documentation asks for Data Center 8.0 or newer"
	legacy := func(plugin *plan.Plugin, hooked bool) plan.Bitbucket {
		return plan.Bitbucket{
			Version: "5.3.1", Granted: map[plan.GrantPermission]bool{vpcAdmin: true},
			Plugin: plugin, Hooks: map[plan.GrantPermission]bool{vpcHook: hooked},
		}
	}
	modern := func(version string, held bool) plan.Bitbucket {
		return plan.Bitbucket{Version: version, NativeWebhooks: true, Granted: map[plan.GrantPermission]bool{vpcAdmin: held}}
	}
	hook := plan.EnableHook{Project: "INFRA", Repository: "vpc", Key: plan.WebhookHook}
	enable := plan.EnablePlugin{Key: plan.WebhookPlugin}
	mayInstall := schema.WebhookPlugin{Install: true, URL: "https://plugins.example/hooks.jar"}
	for _, c := range []struct {
		name   string
		plugin schema.WebhookPlugin
		have   plan.Bitbucket
		steps  []plan.SharedStep
		block  string
		remedy string
		notes  []string
	}{
		{name: "9.4.0, granted", have: modern("9.4.0", true)},
		{name: "9.4.0, grant revoked", have: modern("9.4.0", false), steps: []plan.SharedStep{vpcAdmin}},
		{name: "10.2.1", have: modern("10.2.1", true)},
		{name: "8.0.0", have: modern("8.0.0", true)},
		{name: "7.11.2", have: modern("7.11.2", true), notes: []string{"Bitbucket 7.11.2 " + old}},
		{name: "5.4.0", have: modern("5.4.0", false), steps: []plan.SharedStep{vpcAdmin}, notes: []string{old}},
		{
			name: "service user missing: its grants were not asked for",
			have: plan.Bitbucket{Version: "9.4.0", NativeWebhooks: true},
		},
		{
			name: "repository unknown: told with the connections",
			have: plan.Bitbucket{
				Version: "5.3.1", Plugin: &plan.Plugin{Enabled: true}, Granted: map[plan.GrantPermission]bool{vpcAdmin: false},
				Unknown: map[plan.GrantPermission]string{vpcAdmin: "no such repository", vpcHook: "no such repository"},
			},
			notes: []string{old},
		},
		{
			name:  "unreadable",
			have:  plan.Bitbucket{Unread: []plan.Unread{{System: "bitbucket", Err: "503"}}},
			block: "unreadable: bitbucket: 503",
		},
		{name: "4.8.0", have: plan.Bitbucket{Version: "4.8.0", Plugin: &plan.Plugin{Enabled: true}}, block: "refused: Bitbucket 4.8.0 is older than 4.9.1", remedy: "upgrade"},
		{name: "4.9.0", have: plan.Bitbucket{Version: "4.9.0", Plugin: &plan.Plugin{Enabled: true}}, block: "refused: Bitbucket 4.9.0 is older than 4.9.1"},
		{
			name: "4.9.1", have: plan.Bitbucket{Version: "4.9.1", Plugin: &plan.Plugin{Enabled: true}, Hooks: map[plan.GrantPermission]bool{vpcHook: true}},
			notes: []string{old},
		},
		{
			name: "5.3.1, plugin not there, and the files do not let us install it", have: legacy(nil, false),
			block: "refused: Bitbucket 5.3.1 has no webhooks of its own, and the plugin", remedy: "webhook_plugin with install = true", notes: []string{old},
		},
		{
			name: "5.3.1, plugin not there, nowhere to take it from", plugin: schema.WebhookPlugin{Install: true}, have: legacy(nil, false),
			block: "refused: Bitbucket 5.3.1 has no webhooks of its own", notes: []string{old},
		},
		{
			name: "5.3.1, plugin to install", plugin: mayInstall, have: legacy(nil, false), notes: []string{old},
			steps: []plan.SharedStep{plan.InstallPlugin{Key: plan.WebhookPlugin, URL: mayInstall.URL}, enable, hook},
		},
		{name: "5.3.1, plugin disabled", have: legacy(&plan.Plugin{}, false), steps: []plan.SharedStep{enable, hook}, notes: []string{old}},
		{name: "5.3.1, hook disabled", have: legacy(&plan.Plugin{Enabled: true}, false), steps: []plan.SharedStep{hook}, notes: []string{old}},
		{name: "5.3.1, all there", have: legacy(&plan.Plugin{Enabled: true}, true), notes: []string{old}},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, two := aConnection(), aConnection() // a grant that two ask for is one
			bitbucket := one.Bitbucket
			bitbucket.WebhookPlugin = c.plugin
			got := plan.DiffBitbucket(bitbucket, []*schema.Connection{one, two}, c.have, plan.Rotation{})
			if diff := cmp.Diff(emptyIsNil(c.steps), emptyIsNil(got.Steps())); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			checkBlocks(t, got.Blocks, c.block, c.remedy)
			checkNotes(t, got.Notes, c.notes)
		})
	}
}

// TestHooksAreOfRepositories has a grant on a whole project, which has no hook
// of its own, and two users on one repository, which has one.
func TestHooksAreOfRepositories(t *testing.T) {
	one, two := aConnection(), aConnection()
	one.Grants = append(one.Grants, schema.Grant{Project: "INFRA", Permission: "PROJECT_ADMIN"})
	two.ServiceUser = "svc-other"
	have := plan.Bitbucket{Version: "5.3.1", Plugin: &plan.Plugin{Enabled: true}, Granted: map[plan.GrantPermission]bool{}}
	for _, g := range []plan.GrantPermission{
		vpcAdmin,
		{User: user, Project: "INFRA", Permission: "PROJECT_ADMIN"},
		{User: "svc-other", Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"},
	} {
		have.Granted[g] = false
	}
	want := []plan.SharedStep{
		vpcAdmin,
		plan.EnableHook{Project: "INFRA", Repository: "vpc", Key: plan.WebhookHook},
		plan.GrantPermission{User: user, Project: "INFRA", Permission: "PROJECT_ADMIN"},
		plan.GrantPermission{User: "svc-other", Project: "INFRA", Repository: "vpc", Permission: "REPO_ADMIN"},
	}
	got := plan.DiffBitbucket(one.Bitbucket, []*schema.Connection{one, two}, have, plan.Rotation{})
	if diff := cmp.Diff(emptyIsNil(want), emptyIsNil(got.Steps())); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
