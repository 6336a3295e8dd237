package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/plan"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/schema"
)

// An organization is what was read of it once, for its connections to all
// Bitbuckets: in a steady state one request. Projects and agent pools are read
// when a connection names one.
type organization struct {
	clients  future[[]plan.Client]
	projects future[map[string]string]
	pools    future[map[string]string]
	using    future[map[string][]plan.Workspace]
}

func (r *reader) organization(c *schema.Connection) *organization {
	key := organizationKey{c.Terraform.Label, names.OrganizationKey(c.Organization)}
	r.mu.Lock()
	defer r.mu.Unlock()
	entry, ok := r.organizations[key]
	if !ok {
		entry = &organization{}
		r.organizations[key] = entry
	}
	return entry
}

func (r *reader) readTerraform(ctx context.Context, c *schema.Connection, have *plan.Have) error {
	client, err := r.sys.Terraform(ctx, c.Terraform.Label, c.Organization)
	if err != nil {
		return err
	}
	org := r.organization(c)
	have.Clients, err = org.clients.get(func() ([]plan.Client, error) { return readClients(ctx, client, c.Organization) })
	if err != nil {
		return err
	}
	if len(c.Projects) > 0 {
		have.Projects, err = org.projects.get(func() (map[string]string, error) { return client.Projects(ctx, c.Organization) })
		if err != nil {
			return err
		}
	}
	if c.AgentPool != "" {
		have.Pools, err = org.pools.get(func() (map[string]string, error) { return client.AgentPools(ctx, c.Organization) })
	}
	if err == nil && c.Relocate != nil {
		have.Using, err = org.using.get(func() (map[string][]plan.Workspace, error) { return readUsing(ctx, client, c.Organization) })
	}
	return err
}

// readUsing reads which workspaces use which OAuth token: a request for each
// hundred of them.
func readUsing(ctx context.Context, client *tfe.Client, organization string) (map[string][]plan.Workspace, error) {
	all, err := client.Workspaces(ctx, organization)
	if err != nil {
		return nil, err
	}
	using := map[string][]plan.Workspace{}
	for _, w := range all {
		if w.TokenID != "" {
			using[w.TokenID] = append(using[w.TokenID], plan.Workspace{Name: w.Name, Repository: w.Identifier})
		}
	}
	return using, nil
}

func readClients(ctx context.Context, client *tfe.Client, name string) ([]plan.Client, error) {
	live, err := client.Clients(ctx, name)
	if errors.Is(err, tfe.ErrNotFound) { // forbidden looks the same: ask why
		return nil, client.Explain404(ctx, name)
	}
	return clientFacts(live), err
}

func clientFacts(live []tfe.OAuthClient) []plan.Client {
	out := make([]plan.Client, len(live))
	for i, c := range live {
		fingerprint, _ := keys.PublicFingerprint(c.RSAPublicKey) // "" when it does not parse: differs from every key
		out[i] = plan.Client{
			ID: c.ID, Name: c.Name, Organization: c.Organization, Key: c.Key, Fingerprint: fingerprint, HTTPURL: c.HTTPURL, APIURL: c.APIURL,
			ServiceProvider: c.ServiceProvider, Scoped: c.OrganizationScoped == nil || *c.OrganizationScoped,
			Projects: c.Projects, AgentPool: c.AgentPool, ConnectURL: c.ConnectURL, CallbackURL: c.CallbackURL, Created: c.Created,
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
	have.TokenDead, err = stillRefused(err)
	return err
}

// stillRefused tells what Terraform's answer says of a token. A server that cannot
// answer now has said nothing: neither that the token works nor that it does not.
func stillRefused(err error) (bool, error) {
	switch {
	case err == nil, errors.Is(err, tfe.ErrUnsupported):
		return false, nil
	case errors.Is(err, tfe.ErrTokenRefused):
		return true, nil
	}
	return false, fmt.Errorf("asking whether the OAuth token is still refused: %w", err)
}

func hasToken(clients []plan.Client, id string) bool {
	for _, c := range clients {
		if c.Token != nil && c.Token.ID == id {
			return true
		}
	}
	return false
}
