package plan

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/schema"
)

// The webhook plugin that Terraform's documentation asks for before 5.4, and
// its hook.
const (
	WebhookPlugin = "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin"
	WebhookHook   = WebhookPlugin + ":postReceiveHook"
)

// DiffBitbucket returns what a Bitbucket needs for all of its connections: each
// grant once, however many connections ask for it, and before 5.4 the webhook
// plugin and its hook in every repository that is shared.
func DiffBitbucket(want *schema.Bitbucket, connections []*schema.Connection, have Bitbucket, asked Rotation) BitbucketPlan {
	d := &sharedDiffer{want: want, have: have, out: BitbucketPlan{Label: want.Label, URL: want.URL}}
	for _, u := range have.Unread {
		d.block(Unreadable, want.Range, u.String(), u.Fix)
	}
	if len(d.out.Blocks) > 0 {
		return d.out
	}
	d.version()
	if !have.NativeWebhooks {
		d.plugin()
	}
	d.repositories(connections)
	d.unknownKeys(asked.RemoveUnknownKeys)
	if len(d.out.Blocks) > 0 {
		d.out.Changes = nil
	}
	return d.out
}

// repositories plans the grants, and before 5.4 the hooks, each once.
func (d *sharedDiffer) repositories(connections []*schema.Connection) {
	granted, hooked := map[GrantPermission]bool{}, map[GrantPermission]bool{}
	for _, c := range connections {
		for i, g := range grants(c) {
			if !granted[g.Key()] {
				granted[g.Key()] = true
				d.grant(g, c.Grants[i].Range)
			}
			hook := GrantPermission{Project: g.Project, Repository: g.Repository}
			if !d.have.NativeWebhooks && g.Repository != "" && !hooked[hook] {
				hooked[hook] = true
				d.hook(hook, c.Grants[i].Range)
			}
		}
	}
}

type sharedDiffer struct {
	want *schema.Bitbucket
	have Bitbucket
	out  BitbucketPlan
}

func (d *sharedDiffer) block(kind BlockKind, at hcl.Range, text, remedy string) {
	d.out.Blocks = append(d.out.Blocks, Block{Kind: kind, Text: text, Remedy: remedy, At: at})
}

func (d *sharedDiffer) add(step SharedStep, because Reason) {
	d.out.Changes = append(d.out.Changes, SharedChange{Step: step, Because: []Reason{because}})
}

// version compares with what the vendors support. Terraform's documentation
// names Server 4.9.1 and Data Center 5.4.0 as the oldest; which of the two an
// instance is cannot be read from its version. Today it recommends 8.0.
func (d *sharedDiffer) version() {
	v := d.have.Version
	switch {
	case !names.VersionAtLeast(v, "4.9.1"):
		d.block(Refused, d.want.Range, "Bitbucket "+v+" is older than 4.9.1, the oldest that Terraform works with", "upgrade Bitbucket")
	case !names.VersionAtLeast(v, "8.0"):
		d.out.Notes = append(d.out.Notes, Note{
			Warning: true, At: d.want.Range,
			Text: "Bitbucket " + v + " works, but Terraform's documentation asks for Data Center 8.0 or newer, and Bitbucket Server is out of support",
		})
	}
}

func (d *sharedDiffer) grant(g GrantPermission, at hcl.Range) {
	if _, unknown := d.have.Unknown[g.Key()]; unknown {
		return // told with the connections that want it
	}
	if held, asked := d.have.Granted[g.Key()]; asked && !held { // not asked: the user is missing, told with its connections
		d.add(g, Reason{Kind: "permission", What: "effective permission of " + g.User, Live: "not " + g.Permission, Want: g.Permission, At: at})
	}
}

func (d *sharedDiffer) plugin() {
	p := d.have.Plugin
	switch {
	case p == nil && d.want.WebhookPlugin.Install && d.want.WebhookPlugin.URL != "":
		d.add(InstallPlugin{Key: WebhookPlugin, URL: d.want.WebhookPlugin.URL}, Reason{Kind: "webhook_plugin", What: "webhook plugin", Live: "not installed", Want: "installed", At: d.want.Range})
		d.add(EnablePlugin{Key: WebhookPlugin}, Reason{Kind: "webhook_plugin", What: "webhook plugin", Live: "not installed", Want: "enabled", At: d.want.Range})
	case p == nil:
		d.block(Refused, d.want.Range,
			fmt.Sprintf("Bitbucket %s has no webhooks of its own, and the plugin \"Web Post Hooks for Bitbucket Server\" (%s) is not installed", d.have.Version, WebhookPlugin),
			"install it in Bitbucket under Administration, Find new apps; or let bbsync do it: webhook_plugin with install = true and the artefact's url")
	case !p.Enabled:
		d.add(EnablePlugin{Key: WebhookPlugin}, Reason{Kind: "webhook_plugin", What: "webhook plugin", Live: "disabled", Want: "enabled", At: d.want.Range})
	}
}

func (d *sharedDiffer) hook(g GrantPermission, at hcl.Range) {
	if _, unknown := d.have.Unknown[g.Key()]; unknown || d.have.Hooks[g] {
		return
	}
	d.add(EnableHook{Project: g.Project, Repository: g.Repository, Key: WebhookHook},
		Reason{Kind: "webhook_hook", What: "webhook plugin's hook", Live: "disabled", Want: "enabled", At: at})
}
