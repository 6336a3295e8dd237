package doctor

import (
	"context"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/reach"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// bitbucketFacts are what was read of a Bitbucket once for all connections.
type bitbucketFacts struct {
	want        *schema.Bitbucket
	connections []*schema.Connection

	sight answer[reach.Sight]
	open  error // the client could not be made: the password was not to be had

	// Without the account:
	status     answer[string]
	properties answer[bitbucket.Properties]
	manifest   answer[bitbucket.Manifest]
	skew       time.Duration
	skewKnown  bool

	// With it. account is the first question, and the only one when it is refused:
	// more wrong passwords would lock the account.
	account answer[bool] // has global ADMIN
	system  answer[bool] // has SYS_ADMIN, too
	basic   answer[bitbucket.BasicAuthConfig]
	raised  error // no secure administrator session
	login   bitbucket.LoginState
	links   answer[[]bitbucket.Link]
	orphans answer[[]string] // keys of consumers
	ssh     answer[bitbucket.SSHSettings]
	server  answer[systems.SSHServer]
	sshPort error
	policy  answer[bitbucket.KeyPolicy]
	rate    answer[bitbucket.RateLimitSettings]
	plugin  answer[bitbucket.Plugin] // before 5.4
	hooks   []hookFacts              // before 5.4, of each shared repository
}

// hookFacts are of the webhook plugin's hook in a repository.
type hookFacts struct {
	repository string // PROJECT/slug
	hook       answer[bitbucket.Hook]
	urls       answer[[]string]
}

func (b *bitbucketFacts) read(ctx context.Context, sys *systems.Systems, loggedIn bool) {
	b.sight = ask(sys.LookAtBitbucket(ctx, b.want.Label))
	b.account.err = errNotAsked
	if !loggedIn {
		b.open = errVaultDown
		return
	}
	client, err := sys.Bitbucket(ctx, b.want.Label)
	if err != nil {
		b.open = err
		return
	}
	b.status = ask(client.Status(ctx))
	b.properties = ask(client.Properties(ctx))
	b.manifest = ask(client.Manifest(ctx))
	b.skew, b.skewKnown = client.Clock()
	if b.properties.err != nil {
		return // not a Bitbucket that answers: the password is not sent there
	}
	if b.account = holds(ctx, client, "ADMIN"); b.account.err != nil {
		return
	}
	b.readAsAdmin(ctx, sys, client)
	b.login = client.LoginState()
}

// holds asks whether the account has a global permission.
func holds(ctx context.Context, client *bitbucket.Client, permission string) answer[bool] {
	held, err := client.HasPermissions(ctx, client.Username(), []bitbucket.Permission{{Name: permission}})
	if err != nil {
		return answer[bool]{err: err}
	}
	return answer[bool]{value: held[0].Held}
}

func (b *bitbucketFacts) readAsAdmin(ctx context.Context, sys *systems.Systems, client *bitbucket.Client) {
	b.system = holds(ctx, client, "SYS_ADMIN")
	b.raised = client.AdminSession(ctx)
	b.basic = ask(client.BasicAuthConfig(ctx))
	b.links = ask(client.Links(ctx))
	b.orphans = ask(client.OrphanedConsumers(ctx))
	b.ssh = ask(client.SSHSettings(ctx))
	b.server = ask(sys.SSHServer(ctx, b.want.Label))
	if b.server.err == nil {
		b.sshPort = reach.Dial(ctx, b.server.value.Address)
	}
	b.policy = ask(client.KeyPolicy(ctx))
	b.rate = ask(client.RateLimitSettings(ctx))
	if b.properties.value.Version.AtLeast("5.4") {
		return
	}
	if b.plugin = ask(client.Plugin(ctx, plan.WebhookPlugin)); b.plugin.err != nil || !b.plugin.value.Enabled {
		return
	}
	for _, g := range b.repositories() {
		h := hookFacts{repository: g.Project + "/" + g.Repository}
		h.hook = ask(client.Hook(ctx, g.Project, g.Repository, plan.WebhookHook))
		h.urls = answer[[]string]{err: errNotAsked}
		if h.hook.err == nil {
			h.urls = ask(client.HookURLs(ctx, g.Project, g.Repository, plan.WebhookHook))
		}
		b.hooks = append(b.hooks, h)
	}
}

// repositories are those that the connections share, each once.
func (b *bitbucketFacts) repositories() []schema.Grant {
	seen := map[string]bool{}
	var out []schema.Grant
	for _, c := range b.connections {
		for _, g := range c.Grants {
			if name := g.Project + "/" + g.Repository; g.Repository != "" && !seen[name] {
				seen[name] = true
				out = append(out, g)
			}
		}
	}
	return out
}

// reached reports why nothing can be asked of the Bitbucket as its administrator.
func (b *bitbucketFacts) reached() error { return firstOf(b.open, b.properties.err, b.account.err) }
