package live

import (
	"context"
	"errors"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/schema"
)

// An organization is what was read of it once, for its connections to all
// Bitbuckets: in a steady state one request.
type organization struct {
	clients  []plan.Client
	projects map[string]string
	pools    map[string]string
}

func (r *reader) readTerraform(ctx context.Context, c *schema.Connection, have *plan.Have) error {
	key := organizationKey{c.Terraform.Label, c.Organization}
	r.mu.Lock()
	entry, ok := r.organizations[key]
	if !ok {
		entry = &future[organization]{}
		r.organizations[key] = entry
	}
	r.mu.Unlock()
	org, err := entry.get(func() (organization, error) { return r.organization(ctx, c) })
	have.Clients, have.Projects, have.Pools = org.clients, org.projects, org.pools
	return err
}

func (r *reader) organization(ctx context.Context, c *schema.Connection) (organization, error) {
	client, err := r.sys.Terraform(ctx, c.Terraform.Label, c.Organization)
	if err != nil {
		return organization{}, err
	}
	live, err := client.Clients(ctx, c.Organization)
	if errors.Is(err, tfe.ErrNotFound) { // forbidden looks the same: ask why
		return organization{}, client.Explain404(ctx, c.Organization)
	}
	if err != nil {
		return organization{}, err
	}
	org := organization{clients: clientFacts(live)}
	if len(c.Projects) > 0 {
		if org.projects, err = client.Projects(ctx, c.Organization); err != nil {
			return organization{}, err
		}
	}
	if c.AgentPool != "" {
		if org.pools, err = client.AgentPools(ctx, c.Organization); err != nil {
			return organization{}, err
		}
	}
	return org, nil
}

func clientFacts(live []tfe.OAuthClient) []plan.Client {
	out := make([]plan.Client, len(live))
	for i, c := range live {
		fingerprint, _ := keys.PublicFingerprint(c.RSAPublicKey) // "" when it does not parse: differs from every key
		out[i] = plan.Client{
			ID: c.ID, Name: c.Name, Key: c.Key, Fingerprint: fingerprint, HTTPURL: c.HTTPURL, APIURL: c.APIURL,
			ServiceProvider: c.ServiceProvider, Scoped: c.OrganizationScoped == nil || *c.OrganizationScoped,
			Projects: c.Projects, AgentPool: c.AgentPool, ConnectURL: c.ConnectURL, Created: c.Created,
		}
		if t := c.Token; t != nil {
			out[i].Token = &plan.Token{ID: t.ID, User: t.User, HasSSHKey: t.HasSSHKey, Created: t.Created}
		}
	}
	return out
}

// probeRefused asks Terraform again about a token that it said does not work,
// since a person may have authorized it anew under the same id.
func (r *reader) probeRefused(ctx context.Context, c *schema.Connection, have *plan.Have) error {
	if have.Record == nil || have.Record.RefusedToken == "" || !hasToken(have.Clients, have.Record.RefusedToken) {
		return nil
	}
	client, err := r.sys.Terraform(ctx, c.Terraform.Label, c.Organization)
	if err != nil {
		return err
	}
	_, err = client.AuthorizedRepos(ctx, have.Record.RefusedToken)
	have.TokenDead = errors.Is(err, tfe.ErrTokenRefused)
	return nil
}

func hasToken(clients []plan.Client, id string) bool {
	for _, c := range clients {
		if c.Token != nil && c.Token.ID == id {
			return true
		}
	}
	return false
}
