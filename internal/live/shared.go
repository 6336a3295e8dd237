package live

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/plan"
)

// startShared begins to read what the Bitbuckets' connections share, each
// Bitbucket for itself.
func (r *reader) startShared(ctx context.Context) *sync.WaitGroup {
	group := new(sync.WaitGroup)
	for _, b := range r.bitbuckets {
		group.Go(func() { b.shared = b.read(ctx) })
	}
	return group
}

func (b *sharedBitbucket) properties(ctx context.Context, client *bitbucket.Client) (bitbucket.Properties, error) {
	return b.version.get(func() (bitbucket.Properties, error) { return client.Properties(ctx) })
}

func versionFacts(v bitbucket.Version) *plan.Bitbucket {
	return &plan.Bitbucket{Version: v.String(), NativeWebhooks: v.AtLeast("5.4"), KeyUsage: v.AtLeast("8.7")}
}

// read returns the grants held, and before 5.4 the plugin and its hooks.
func (b *sharedBitbucket) read(ctx context.Context) plan.Bitbucket {
	facts, err := b.readAll(ctx)
	if err != nil {
		facts.Unread = append(facts.Unread, unreadOf("bitbucket", err))
	}
	return facts
}

func (b *sharedBitbucket) readAll(ctx context.Context) (plan.Bitbucket, error) {
	client, err := b.sys.Bitbucket(ctx, b.label)
	if err != nil {
		return plan.Bitbucket{}, err
	}
	properties, err := b.properties(ctx, client)
	if err != nil {
		return plan.Bitbucket{}, err
	}
	facts := *versionFacts(properties.Version)
	if facts.KeyUsage { // the rules came with the same release
		facts.KeyRules = readKeyRules(ctx, client)
	}
	facts.Granted, facts.Unknown = map[plan.GrantPermission]bool{}, map[plan.GrantPermission]string{}
	for _, name := range slices.Sorted(maps.Keys(b.grants)) {
		if err := b.readGrants(ctx, client, name, &facts); err != nil {
			return facts, err
		}
	}
	if facts.NativeWebhooks {
		return facts, nil
	}
	return facts, b.readPlugin(ctx, client, &facts)
}

// readKeyRules reads the server's rules for SSH keys. Where they cannot be read
// nothing is known of them: a key that they refuse is refused when it is added.
func readKeyRules(ctx context.Context, client *bitbucket.Client) plan.KeyRules {
	policy, err := client.KeyPolicy(ctx)
	if err != nil {
		return plan.KeyRules{}
	}
	rules := plan.KeyRules{MaxExpiryDays: policy.MaxExpiryDays}
	for _, r := range policy.Restrictions {
		if strings.EqualFold(r.Algorithm, "RSA") {
			rules.RSARefused, rules.RSABits = !r.Allowed, r.MinLength
		}
	}
	return rules
}

// readGrants asks which permissions a service user holds effectively: through
// groups, projects and global permissions too.
func (b *sharedBitbucket) readGrants(ctx context.Context, client *bitbucket.Client, name string, facts *plan.Bitbucket) error {
	who, err := b.user(ctx, client, name)
	if bitbucket.ConcernsObject(err) || err == nil && who.user == nil {
		return nil // reported with the connections of this user
	}
	if err != nil {
		return err
	}
	wants := b.grants[name]
	held, err := client.HasPermissions(ctx, name, wants)
	if err != nil {
		return err
	}
	for i, p := range wants {
		key := plan.GrantPermission{User: name, Project: p.Project, Repository: p.Repository, Permission: p.Name}.Key()
		facts.Granted[key] = held[i].Held
		if unknown := held[i].Unknown; unknown != nil {
			facts.Unknown[key] = unknown.Error()
			facts.Unknown[repository(p)] = unknown.Error()
		}
	}
	return nil
}

// readPlugin reads the webhook plugin and its hook in every shared repository.
func (b *sharedBitbucket) readPlugin(ctx context.Context, client *bitbucket.Client, facts *plan.Bitbucket) error {
	plugin, err := client.Plugin(ctx, plan.WebhookPlugin)
	if errors.Is(err, bitbucket.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	facts.Plugin = &plan.Plugin{Version: plugin.Version, Enabled: plugin.Enabled}
	facts.Hooks = map[plan.GrantPermission]bool{}
	for _, repo := range b.repos {
		key := repository(repo)
		if _, unknown := facts.Unknown[key]; unknown || !plugin.Enabled {
			continue
		}
		hook, err := client.Hook(ctx, repo.Project, repo.Repository, plan.WebhookHook)
		switch {
		case err == nil, errors.Is(err, bitbucket.ErrNotFound):
			facts.Hooks[key] = hook.Enabled
		case bitbucket.ConcernsObject(err):
			b.unknown(facts, key, err)
		default:
			return err
		}
	}
	return nil
}

// repository is the key of what is known of a repository, for all users with grants on it.
func repository(p bitbucket.Permission) plan.GrantPermission {
	return plan.GrantPermission{Project: p.Project, Repository: p.Repository}
}

// unknown notes that a repository cannot be read, for all who have grants on it.
func (b *sharedBitbucket) unknown(facts *plan.Bitbucket, at plan.GrantPermission, err error) {
	facts.Unknown[at] = err.Error()
	for user, wants := range b.grants {
		for _, p := range wants {
			if repository(p) == at {
				facts.Unknown[plan.GrantPermission{User: user, Project: p.Project, Repository: p.Repository, Permission: p.Name}.Key()] = err.Error()
			}
		}
	}
}
