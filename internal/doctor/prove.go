package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/live"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/schema"
)

// ProofPrefix begins the names of the workspaces that Prove makes.
const ProofPrefix = "bbsync-prove-"

// ProveOptions say how a connection is proven.
type ProveOptions struct {
	Patience time.Duration                    // how long to wait for each thing to show; 0: 90 s
	Parallel int                              // connections at once; 0: 4
	Tell     func(address string, say string) // what was made and removed, as it goes; nil: nobody is told
}

// Prove makes a workspace on a declared repository of each connection, which is
// what a connection is for: Terraform puts a webhook into the repository and
// clones it. It sees both, and removes the workspace again, also when ctx ends in
// between. What it saw is added to the connections' sections of the report.
func Prove(ctx context.Context, sys *systems.Systems, connections []*schema.Connection, report *Report, opts ProveOptions) {
	if opts.Patience == 0 {
		opts.Patience = 90 * time.Second
	}
	if opts.Parallel == 0 {
		opts.Parallel = 4
	}
	if opts.Tell == nil {
		opts.Tell = func(string, string) {}
	}
	// The webhook plugin of Bitbucket before 5.4 keeps a repository's URLs in one
	// document, which is written whole: two workspaces made at once lose one.
	alone := map[string]*sync.Mutex{}
	for _, c := range connections {
		alone[c.Bitbucket.Label] = &sync.Mutex{}
	}
	var group errgroup.Group
	group.SetLimit(opts.Parallel)
	for i := range report.Sections {
		s := &report.Sections[i]
		at := slices.IndexFunc(connections, func(c *schema.Connection) bool { return s.Kind == Connection && c.Address == s.Name })
		if at < 0 {
			continue
		}
		group.Go(func() error {
			s.Checks = append(s.Checks, prove(ctx, sys, connections[at], alone[connections[at].Bitbucket.Label], opts)...)
			return nil
		})
	}
	_ = group.Wait() // every outcome is a check
}

// A proof is one workspace that is made to be removed.
type proof struct {
	ProveOptions
	want             *schema.Connection
	terraform        *tfe.Client
	bitbucket        *bitbucket.Client
	native           bool // Bitbucket has webhooks of its own
	project, slug    string
	token, workspace string // ids
	name             string
	webhook          string // URL
}

func prove(ctx context.Context, sys *systems.Systems, c *schema.Connection, alone sync.Locker, opts ProveOptions) []Check {
	p := &proof{ProveOptions: opts, want: c, name: ProofPrefix + strings.ToLower(rand.Text()[:10])}
	if err := p.open(ctx, sys); err != nil {
		return []Check{undecided("workspace", err)}
	}
	if !p.native {
		alone.Lock()
		defer alone.Unlock()
	}
	checks, made := p.make(ctx)
	if !made {
		return checks
	}
	checks = append(checks, p.seeWebhook(ctx), p.seeClone(ctx))
	return append(checks, p.cleanUp(ctx)...)
}

// open finds what the workspace takes: a declared repository and a token.
func (p *proof) open(ctx context.Context, sys *systems.Systems) error {
	at := slices.IndexFunc(p.want.Grants, func(g schema.Grant) bool { return g.Repository != "" })
	if at < 0 {
		return fault.New(fault.Misconfigured, "the configuration declares no repository for this connection", "add a grant with repositories")
	}
	p.project, p.slug = p.want.Grants[at].Project, p.want.Grants[at].Repository
	world, err := live.Read(ctx, sys, []*schema.Connection{p.want}, live.Options{})
	if err != nil {
		return err
	}
	have := world.Have[0]
	if len(have.Unread) > 0 {
		return have.Unread[0].Cause
	}
	client, ours := plan.ClientOf(p.want, have)
	if client == nil || client.Token == nil || !ours {
		return fault.New(fault.Missing, "this connection has no OAuth token yet", "see authorization")
	}
	p.token, p.native = client.Token.ID, have.Bitbucket.NativeWebhooks
	if p.terraform, err = sys.Terraform(ctx, p.want.Terraform.Label, p.want.Organization); err != nil {
		return err
	}
	p.bitbucket, err = sys.Bitbucket(ctx, p.want.Bitbucket.Label)
	return err
}

func (p *proof) repository() string { return p.project + "/" + p.slug }

// make makes the workspace. Once begun it is seen through whatever happens to ctx:
// a workspace that nobody knows of cannot be removed.
func (p *proof) make(ctx context.Context) (checks []Check, made bool) {
	const name = "workspace"
	if ctx.Err() != nil {
		return []Check{unknown(name, "interrupted", "")}, false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	w, err := p.terraform.CreateWorkspace(ctx, p.want.Organization, p.name, p.repository(), "", p.token)
	if errors.Is(err, tfe.ErrUnknownOutcome) {
		p.Tell(p.want.Address, "it is not known whether workspace "+p.name+" was made; it is looked for")
		return append([]Check{failure(name, "it is not known whether "+p.name+" was made", err)}, p.removeByName(ctx)), false
	}
	if err != nil {
		check := failure(name, "Terraform makes no workspace on "+p.repository(), err)
		check.Remedy = join(check.Remedy, "see grants, repositories and events: Terraform says no more than this when it cannot make the webhook")
		return []Check{check}, false
	}
	p.workspace, p.webhook = w.ID, w.WebhookURL
	p.Tell(p.want.Address, "made workspace "+p.name+" on "+p.repository()+", to be removed again")
	return []Check{ok(name, "Terraform made %s on %s", p.name, p.repository())}, true
}

// seeWebhook looks for Terraform's webhook in Bitbucket's own list.
func (p *proof) seeWebhook(ctx context.Context) Check {
	const name = "webhook"
	if p.webhook == "" {
		return unknown(name, "Terraform does not tell the workspace's webhook", "look at the repository's webhooks in Bitbucket")
	}
	there, err := p.wait(ctx, func() (bool, error) { return p.hasWebhook(ctx) })
	switch {
	case err != nil:
		return undecided(name, err)
	case !there:
		return failed(name, p.webhook+" is not in "+p.repository(), fmt.Sprintf("Terraform says that it made it, and Bitbucket has not listed it within %s", p.Patience),
			"check that the files' Bitbucket is the one that Terraform talks to")
	}
	return ok(name, "%s is in %s", p.webhook, p.repository())
}

func (p *proof) hasWebhook(ctx context.Context) (bool, error) {
	if !p.native {
		urls, err := p.bitbucket.HookURLs(ctx, p.project, p.slug, plan.WebhookHook)
		return slices.Contains(urls, p.webhook), err
	}
	hooks, err := p.bitbucket.Webhooks(ctx, p.project, p.slug)
	return slices.ContainsFunc(hooks, func(h bitbucket.Webhook) bool { return names.SameURL(h.URL, p.webhook) }), err
}

// seeClone waits until Terraform has fetched the repository. That it begins with
// the workspace, without a run, is what is known; a Terraform that does not, leaves
// the question open.
func (p *proof) seeClone(ctx context.Context) Check {
	const name = "clone"
	var newest tfe.ConfigurationVersion
	ended, err := p.wait(ctx, func() (bool, error) {
		var err error
		newest, err = p.terraform.NewestVersion(ctx, p.workspace)
		return newest.Status == "uploaded" || newest.Status == "errored" || newest.Status == "archived", err
	})
	switch {
	case err != nil:
		return undecided(name, err)
	case newest.ID == "":
		return unknown(name, fmt.Sprintf("Terraform began no fetch within %s", p.Patience), "queue a run in a workspace of your own, and see")
	case newest.Status == "errored":
		return failed(name, "Terraform could not fetch "+p.repository(), newest.Error, "see token-ssh-key, ssh-key and ssh; Terraform itself must reach Bitbucket's SSH port")
	case !ended:
		return failed(name, "Terraform is still fetching (status "+newest.Status+")", fmt.Sprintf("it did not end within %s: Bitbucket's SSH port may be closed to Terraform", p.Patience),
			"open the SSH port for Terraform's addresses")
	}
	return ok(name, "Terraform fetched %s over SSH", p.repository())
}

// wait repeats look at growing intervals until it reports true, patience ends (false),
// or ctx does.
func (p *proof) wait(ctx context.Context, look func() (bool, error)) (bool, error) {
	notYet := errors.New("not yet")
	backoff := httpx.Backoff{First: 100 * time.Millisecond, Most: 3 * time.Second, Patience: p.Patience}
	err := backoff.Do(ctx, func(err error) bool { return errors.Is(err, notYet) }, func() error {
		yes, err := look()
		if err == nil && !yes {
			return notYet
		}
		return err
	})
	switch {
	case ctx.Err() != nil:
		return false, errors.New("interrupted")
	case errors.Is(err, notYet):
		return false, nil
	}
	return err == nil, err
}

// cleanUp removes the workspace, whatever became of ctx, and sees its webhook go.
func (p *proof) cleanUp(ctx context.Context) []Check {
	const name = "cleaned-up"
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.Patience+time.Minute)
	defer cancel()
	if err := p.terraform.DeleteWorkspace(ctx, p.workspace); err != nil && !errors.Is(err, tfe.ErrNotFound) {
		check := failure(name, "workspace "+p.name+" of "+p.want.Organization+" could not be removed", err)
		check.Remedy = join(check.Remedy, "remove it by hand")
		p.Tell(p.want.Address, "workspace "+p.name+" could not be removed")
		return []Check{check}
	}
	p.Tell(p.want.Address, "removed workspace "+p.name)
	if p.webhook == "" {
		return []Check{ok(name, "workspace %s is removed", p.name)}
	}
	gone, err := p.wait(ctx, func() (bool, error) {
		there, err := p.hasWebhook(ctx)
		return !there, err
	})
	switch {
	case err != nil:
		return []Check{undecided(name, fmt.Errorf("workspace %s is removed; whether its webhook is, is not known: %w", p.name, err))}
	case !gone:
		return []Check{warning(name, "workspace "+p.name+" is removed, its webhook "+p.webhook+" is still in "+p.repository(), "Terraform left it there", "remove the webhook in the repository's settings")}
	}
	return []Check{ok(name, "workspace %s and its webhook are removed", p.name)}
}

// removeByName removes a workspace that may or may not have been made.
func (p *proof) removeByName(ctx context.Context) Check {
	const name = "cleaned-up"
	w, err := p.terraform.Workspace(ctx, p.want.Organization, p.name)
	if errors.Is(err, tfe.ErrNotFound) {
		return ok(name, "there is no workspace %s", p.name)
	}
	if err == nil {
		err = p.terraform.DeleteWorkspace(ctx, w.ID)
	}
	if err != nil {
		check := failure(name, "it is not known whether workspace "+p.name+" is there", err)
		check.Remedy = join(check.Remedy, "look for it in "+p.want.Organization+", and remove it by hand")
		return check
	}
	return ok(name, "workspace %s is removed", p.name)
}
