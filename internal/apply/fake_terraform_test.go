package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
)

type fakeTerraform struct{ *world }

func (f fakeTerraform) do(ctx context.Context, name string, work func() error) error {
	return f.world.do(ctx, tfe.ErrUnavailable, name, work)
}

func (f fakeTerraform) client(id string) *tfe.OAuthClient {
	if i := slices.IndexFunc(f.clients, func(c tfe.OAuthClient) bool { return c.ID == id }); i >= 0 {
		return &f.clients[i]
	}
	return nil
}

func (f fakeTerraform) Clients(ctx context.Context, _ string) (all []tfe.OAuthClient, err error) {
	err = f.do(ctx, "list clients", func() error { all = slices.Clone(f.clients); return nil })
	return all, err
}

func (f fakeTerraform) CreateClient(ctx context.Context, _ string, n tfe.NewClient) (made tfe.OAuthClient, err error) {
	err = f.do(ctx, "create client", func() error {
		made = tfe.OAuthClient{
			ID: fmt.Sprintf("oc-made-%d", len(f.clients)), Name: n.Name, HTTPURL: n.HTTPURL, APIURL: n.APIURL, ServiceProvider: n.ServiceProvider,
			Key: n.Key, RSAPublicKey: n.RSAPublicKey, OrganizationScoped: &n.OrganizationScoped, Projects: n.Projects, AgentPool: n.AgentPool,
			Created: time.Now(),
		}
		f.clients = append(f.clients, made)
		f.pairs[made.ID] = keyName(n.Secret.Reveal())
		return nil
	})
	return made, err
}

func (f fakeTerraform) UpdateClient(ctx context.Context, id string, u tfe.ClientUpdate) error {
	return f.do(ctx, "update client", func() error {
		c := f.client(id)
		if c == nil {
			return tfe.ErrNotFound
		}
		c.OrganizationScoped = orThat(u.OrganizationScoped, c.OrganizationScoped)
		set(&c.Name, u.Name)
		set(&c.Key, u.Key)
		set(&c.RSAPublicKey, u.RSAPublicKey)
		set(&c.Projects, u.Projects)
		set(&c.AgentPool, u.AgentPool)
		if u.Secret != nil {
			f.pairs[id] = keyName(u.Secret.Reveal())
		}
		return nil
	})
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func orThat[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func (f fakeTerraform) DeleteClient(ctx context.Context, id string) error {
	return f.do(ctx, "delete client", func() error {
		if f.client(id) == nil {
			return tfe.ErrNotFound
		}
		f.clients = slices.DeleteFunc(f.clients, func(c tfe.OAuthClient) bool { return c.ID == id })
		return nil
	})
}

func (f fakeTerraform) Affected(ctx context.Context, _, id string) (have tfe.Affected, err error) {
	err = f.do(ctx, "count affected", func() error {
		if f.client(id) == nil {
			return tfe.ErrNotFound
		}
		have = f.affected
		return nil
	})
	return have, err
}

func (f fakeTerraform) Projects(ctx context.Context, _ string) (map[string]string, error) {
	return map[string]string{"Web": "prj-web", "Data": "prj-data"}, f.do(ctx, "list projects", func() error { return nil })
}

func (f fakeTerraform) AgentPools(ctx context.Context, _ string) (map[string]string, error) {
	return map[string]string{"inside": "apool-inside"}, f.do(ctx, "list agent pools", func() error { return nil })
}

func (f fakeTerraform) SetSSHKey(ctx context.Context, tokenID string, private secret.Text) error {
	return f.do(ctx, "set SSH key", func() error { f.tokenKeys[tokenID] = keyName(private.Reveal()); return nil })
}

func (f fakeTerraform) AuthorizedRepos(ctx context.Context, _ string) ([]string, error) {
	return f.repos, f.do(ctx, "list repositories", func() error { return f.reposErr })
}

func (f fakeTerraform) WorkspacesByToken(ctx context.Context, _, tokenID string) (using []tfe.Workspace, err error) {
	err = f.do(ctx, "list workspaces", func() error {
		for _, space := range f.users {
			if space.TokenID = f.token[space.ID]; space.TokenID == tokenID {
				using = append(using, space)
			}
		}
		return nil
	})
	return using, err
}

func (f fakeTerraform) MoveWorkspace(ctx context.Context, id, tokenID string) error {
	return f.do(ctx, "move workspace", func() error { return f.terraform.MoveWorkspace(ctx, id, tokenID) })
}

func (f fakeTerraform) NewestVersion(ctx context.Context, id string) (v tfe.ConfigurationVersion, err error) {
	err = f.do(ctx, "read newest version", func() error { v, err = f.terraform.NewestVersion(ctx, id); return err })
	return v, err
}
