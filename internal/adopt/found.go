// Package adopt finds connections that people made by hand: it reads what there
// is in Terraform and on Bitbucket, pairs the two sides, and writes the files
// and records with which bbsync keeps them from then on. It changes neither
// Terraform nor Bitbucket.
package adopt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/schema"
)

// readers is how many organizations or links are read at once.
const readers = 16

// Found is what there is.
type Found struct {
	Clients   []Client
	Links     []Link
	Users     []User
	Unmatched []Unmatched // what could not be read
	Existing  Existing
}

// A Client is an OAuth client for a Bitbucket Server, with what is known of its
// use.
type Client struct {
	tfe.OAuthClient
	Terraform    *schema.Terraform
	Organization string
	Projects     []string // names, when it is for some projects only
	Pool         string   // name of the agent pool
	Uses         []Use
}

// A Use is a repository that workspaces use the client for.
type Use struct {
	Project, Repository string
	Admin               bool // the service user may administer it
}

// A User is a service user with the SSH keys it has.
type User struct {
	bitbucket.User
	Bitbucket *schema.Bitbucket
	Keys      []bitbucket.SSHKey
}

// Read reads what these systems have: three requests and one per link that a client
// uses for each Bitbucket, one per organization and its pages of workspaces for each
// Terraform.
func Read(ctx context.Context, sys *systems.Systems, terraforms []*schema.Terraform, bitbuckets []*schema.Bitbucket) (Found, error) {
	r := &reader{sys: sys}
	for _, t := range terraforms {
		if err := r.clients(ctx, t, bitbuckets); err != nil {
			return Found{}, fmt.Errorf("terraform.%s: %w", t.Label, err)
		}
	}
	for _, b := range bitbuckets {
		if err := r.links(ctx, b, bitbuckets); err != nil {
			return Found{}, fmt.Errorf("bitbucket.%s: %w", b.Label, err)
		}
	}
	if err := r.users(ctx, bitbuckets); err != nil {
		return Found{}, err
	}
	if err := r.permissions(ctx, bitbuckets); err != nil {
		return Found{}, err
	}
	r.sort()
	return r.found, nil
}

type reader struct {
	sys   *systems.Systems
	mu    sync.Mutex
	found Found
}

func (r *reader) sort() {
	slices.SortFunc(r.found.Clients, func(a, b Client) int {
		return cmp.Or(cmp.Compare(a.Terraform.Label, b.Terraform.Label), cmp.Compare(a.Organization, b.Organization), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(r.found.Links, func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Bitbucket.Label, b.Bitbucket.Label), cmp.Compare(a.URL, b.URL))
	})
	slices.SortFunc(r.found.Unmatched, func(a, b Unmatched) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text)) })
}

// clients reads all organizations. One that does not let its clients be seen is
// told, and holds up no other.
func (r *reader) clients(ctx context.Context, t *schema.Terraform, bitbuckets []*schema.Bitbucket) error {
	client, err := r.sys.Terraform(ctx, t.Label, "")
	if err != nil {
		return err
	}
	organizations, err := client.Organizations(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, name := range organizations {
		group.Go(func() error {
			found, err := organization(ctx, client, t, name, bitbuckets)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil {
				r.found.Unmatched = append(r.found.Unmatched, Unmatched{Kind: Unreadable, Text: fmt.Sprintf("organization %s of terraform.%s: %v", name, t.Label, err)})
			}
			r.found.Clients = append(r.found.Clients, found...)
			return nil
		})
	}
	return group.Wait()
}

func organization(ctx context.Context, client *tfe.Client, t *schema.Terraform, name string, bitbuckets []*schema.Bitbucket) ([]Client, error) {
	all, err := client.Clients(ctx, name)
	if errors.Is(err, tfe.ErrNotFound) {
		return nil, client.Explain404(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	var out []Client
	for _, c := range all {
		if !strings.HasPrefix(c.ServiceProvider, "bitbucket_") || c.ServiceProvider == "bitbucket_hosted" {
			continue
		}
		have := Client{OAuthClient: c, Terraform: t, Organization: name}
		if bitbucketOf(have, bitbuckets) != nil {
			if err := have.readUse(ctx, client); err != nil {
				return nil, err
			}
		}
		out = append(out, have)
	}
	return out, nil
}

// readUse reads what names the client's projects and agent pool have, and which
// repositories workspaces use it for.
func (c *Client) readUse(ctx context.Context, client *tfe.Client) error {
	if len(c.OAuthClient.Projects) > 0 {
		ids, err := client.Projects(ctx, c.Organization)
		if err != nil {
			return err
		}
		for name, id := range ids {
			if slices.Contains(c.OAuthClient.Projects, id) {
				c.Projects = append(c.Projects, name)
			}
		}
		slices.Sort(c.Projects)
	}
	if c.AgentPool != "" {
		ids, err := client.AgentPools(ctx, c.Organization)
		if err != nil {
			return err
		}
		for name, id := range ids {
			if id == c.AgentPool {
				c.Pool = name
			}
		}
	}
	if c.Token == nil {
		return nil
	}
	using, err := client.WorkspacesByToken(ctx, c.Organization, c.Token.ID)
	if err != nil {
		return err
	}
	for _, w := range using {
		project, repository, ok := strings.Cut(w.Identifier, "/")
		use := Use{Project: names.ProjectKey(project), Repository: names.RepositoryKey(repository)}
		if ok && !slices.Contains(c.Uses, use) {
			c.Uses = append(c.Uses, use)
		}
	}
	slices.SortFunc(c.Uses, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Repository, b.Repository))
	})
	return nil
}

// users reads everybody who authorized a client, once.
func (r *reader) users(ctx context.Context, bitbuckets []*schema.Bitbucket) error {
	seen := map[string]bool{}
	for _, c := range r.found.Clients {
		b := bitbucketOf(c, bitbuckets)
		if b == nil || c.Token == nil || c.Token.User == "" || seen[b.Label+" "+names.UserKey(c.Token.User)] {
			continue
		}
		seen[b.Label+" "+names.UserKey(c.Token.User)] = true
		client, err := r.sys.Bitbucket(ctx, b.Label)
		if err != nil {
			return err
		}
		found, err := client.User(ctx, c.Token.User)
		if errors.Is(err, bitbucket.ErrNotFound) {
			continue // told with its clients
		}
		if err != nil {
			return fmt.Errorf("bitbucket.%s: %w", b.Label, err)
		}
		keys, err := client.SSHKeys(ctx, found.Name)
		if err != nil {
			return fmt.Errorf("bitbucket.%s: %w", b.Label, err)
		}
		r.found.Users = append(r.found.Users, User{User: found, Bitbucket: b, Keys: keys})
	}
	return nil
}

// permissions asks whether the service users may administer what workspaces use.
func (r *reader) permissions(ctx context.Context, bitbuckets []*schema.Bitbucket) error {
	for i := range r.found.Clients {
		c := &r.found.Clients[i]
		b := bitbucketOf(*c, bitbuckets)
		if b == nil || len(c.Uses) == 0 {
			continue
		}
		client, err := r.sys.Bitbucket(ctx, b.Label)
		if err != nil {
			return err
		}
		user := r.found.user(b, c.Token)
		if user == nil {
			continue
		}
		wants := make([]bitbucket.Permission, len(c.Uses))
		for j, u := range c.Uses {
			wants[j] = bitbucket.Permission{Project: u.Project, Repository: u.Repository, Name: "REPO_ADMIN"}
		}
		held, err := client.HasPermissions(ctx, user.Name, wants)
		if err != nil {
			return fmt.Errorf("bitbucket.%s: %w", b.Label, err)
		}
		for j := range c.Uses {
			c.Uses[j].Admin = held[j].Held
		}
	}
	return nil
}

// user returns who authorized the client, nil when Bitbucket does not know.
func (f Found) user(b *schema.Bitbucket, token *tfe.Token) *User {
	if token == nil {
		return nil
	}
	for i := range f.Users {
		u := &f.Users[i]
		if u.Bitbucket == b && (names.SameUser(u.Name, token.User) || names.SameUser(u.Slug, token.User) || u.DisplayName == token.User) {
			return u
		}
	}
	return nil
}

// bitbucketOf returns the Bitbucket that a client is for, nil for another one.
func bitbucketOf(c Client, bitbuckets []*schema.Bitbucket) *schema.Bitbucket {
	for _, b := range bitbuckets {
		if names.SameURL(b.URL, c.HTTPURL) {
			return b
		}
	}
	return nil
}
