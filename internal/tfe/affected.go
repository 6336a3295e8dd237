package tfe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// Affected is what uses an OAuth client. Its deletion unlinks the workspaces
// (documented); what becomes of the others is not documented.
type Affected struct {
	Workspaces int
	Names      []string // of some or all of the workspaces
	Exact      bool     // the number is the server's own; else it was counted among the workspaces that this token may see
	Others     []string // what else uses the client's token: policy set "baseline", registry module "vpc/aws"
	Untold     []string // kinds of others of which the server does not tell: "policy sets"
}

// Affected reads what uses an OAuth client: one request, and when somebody has
// authorized the client, one more for each hundred policy sets, registry modules
// and stacks of the organization.
func (c *Client) Affected(ctx context.Context, organization, clientID string) (Affected, error) {
	path, err := objectPath("oauth-clients", clientID, "")
	if err != nil {
		return Affected{}, err
	}
	req := request{op: "counting the workspaces of OAuth client", object: clientID}
	var have one
	if err := c.get(ctx, req, path, url.Values{"show_affected_workspaces": {"true"}}, &have); err != nil {
		return Affected{}, err
	}
	if have.Data == nil {
		return Affected{}, noData(req)
	}
	var a clientAttributes
	if err := json.Unmarshal(have.Data.Attributes, &a); err != nil {
		return Affected{}, broken(req, err)
	}
	tokens := have.Data.Relationships["oauth-tokens"].ids()
	out, err := c.affectedWorkspaces(ctx, organization, a, tokens)
	if err == nil && len(tokens) > 0 {
		out.Others, out.Untold, err = c.tokenUsers(ctx, organization, tokens)
	}
	if err != nil {
		return Affected{}, err
	}
	return out, nil
}

func (c *Client) affectedWorkspaces(ctx context.Context, organization string, a clientAttributes, tokens []string) (Affected, error) {
	if a.AffectedCount != nil {
		return Affected{Workspaces: *a.AffectedCount, Names: a.AffectedWorkspaces, Exact: true}, nil
	}
	var out Affected
	for _, token := range tokens {
		using, err := c.WorkspacesByToken(ctx, organization, token)
		if err != nil {
			return Affected{}, err
		}
		for _, w := range using {
			out.Names = append(out.Names, w.Name)
		}
	}
	out.Workspaces = len(out.Names)
	return out, nil
}

// A userKind is a kind of thing, beside workspaces, that names an OAuth token.
type userKind struct{ name, path string }

func userKinds() []userKind {
	return []userKind{{"policy set", "policy-sets"}, {"registry module", "registry-modules"}, {"stack", "stacks"}}
}

// tokenUsers lists the policy sets, registry modules and stacks that use one of
// these OAuth tokens, each kind in order of the names. The API cannot filter by
// that. A 404 does not mean that there are none: Terraform says so alike when the
// release or the organization's plan lacks the kind, and when this token may not
// see it; then the kind is untold.
func (c *Client) tokenUsers(ctx context.Context, organization string, tokens []string) (users, untold []string, err error) {
	for _, kind := range userKinds() {
		found, err := c.usersOf(ctx, organization, kind, tokens)
		switch {
		case errors.Is(err, ErrNotFound):
			untold = append(untold, kind.name+"s")
		case err != nil:
			return nil, nil, err
		}
		users = append(users, found...)
	}
	return users, untold, nil
}

func (c *Client) usersOf(ctx context.Context, organization string, kind userKind, tokens []string) ([]string, error) {
	path, err := organizationPath(organization, "/"+kind.path)
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the " + kind.name + "s of organization", object: organization}
	found, _, err := c.pages(ctx, req, path, nil)
	if err != nil {
		return nil, err
	}
	var users []string
	for _, r := range found {
		var a struct {
			Name     string `json:"name"`
			Provider string `json:"provider"` // of a module: its name alone is not unique
			Repo     struct {
				TokenID string `json:"oauth-token-id"`
			} `json:"vcs-repo"`
		}
		if err := json.Unmarshal(r.Attributes, &a); err != nil {
			return nil, broken(req, err)
		}
		if !slices.Contains(tokens, a.Repo.TokenID) {
			continue
		}
		if a.Provider != "" {
			a.Name += "/" + a.Provider
		}
		users = append(users, fmt.Sprintf("%s %q", kind.name, a.Name))
	}
	slices.Sort(users)
	return users, nil
}
