package tfe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// An Organization is what decides whether its connections can be managed.
type Organization struct {
	Name            string
	ExternalID      string
	CanUpdateOAuth  bool // the token may manage VCS settings
	VCSIntegrations bool // the organization's plan has them
	PrivateVCS      bool // connections through agent pools
}

// Organization reads an organization and what it is entitled to: two requests.
func (c *Client) Organization(ctx context.Context, name string) (Organization, error) {
	path, err := organizationPath(name, "")
	if err != nil {
		return Organization{}, err
	}
	req := request{op: "reading organization", object: name}
	var have one
	if err := c.get(ctx, req, path, nil, &have); err != nil {
		return Organization{}, err
	}
	var a struct {
		ExternalID  string `json:"external-id"`
		Permissions struct {
			CanUpdateOAuth bool `json:"can-update-oauth"`
		} `json:"permissions"`
	}
	if have.Data == nil || json.Unmarshal(have.Data.Attributes, &a) != nil {
		return Organization{}, noData(req)
	}
	req.op = "reading the entitlements of organization"
	var set one
	if err := c.get(ctx, req, path+"/entitlement-set", nil, &set); err != nil {
		return Organization{}, err
	}
	var entitled struct {
		VCSIntegrations bool `json:"vcs-integrations"`
		PrivateVCS      bool `json:"private-vcs"`
	}
	if set.Data == nil || json.Unmarshal(set.Data.Attributes, &entitled) != nil {
		return Organization{}, noData(req)
	}
	return Organization{
		Name: have.Data.ID, ExternalID: a.ExternalID, CanUpdateOAuth: a.Permissions.CanUpdateOAuth,
		VCSIntegrations: entitled.VCSIntegrations, PrivateVCS: entitled.PrivateVCS,
	}, nil
}

// Explain404 finds out why Terraform said "not found" of something in the
// organization, since it says so of what is forbidden, too. It always returns an
// error.
func (c *Client) Explain404(ctx context.Context, organization string) error {
	have, err := c.Organization(ctx, organization)
	e := &Error{Op: "managing the VCS connections of organization", Object: organization}
	switch {
	case errors.Is(err, ErrNotFound):
		e.Kind, e.Hint = ErrNotFound, "there is no such organization, or this token does not see it"
	case err != nil:
		return err
	case !have.CanUpdateOAuth:
		e.Kind, e.Hint = ErrForbidden, c.mayNotManageVCS(organization)
	case !have.VCSIntegrations:
		e.Kind, e.Hint = ErrNotEntitled, "the organization's plan has no VCS integrations"
	default:
		e.Kind, e.Hint = ErrNotFound, "the organization is there and the token may manage its VCS settings: what was asked for is gone"
	}
	return e
}

// mayNotManageVCS says whose token lacks which permission, and where it is given.
func (c *Client) mayNotManageVCS(organization string) string {
	return fmt.Sprintf("bbsync's token for %s may see organization %s, but not manage its VCS settings: in the organization's Settings, Teams, "+
		"give the team of that token \"Manage VCS Settings\", or give bbsync the organization's or an owner's token", c.address.Host, organization)
}

// refused gives a refusal to write VCS settings its remedy: 404 is the documented
// answer, 403 that of some servers and proxies. Other errors it returns as they are.
func (c *Client) refused(ctx context.Context, organization string, err error) error {
	var said, why *Error
	switch {
	case !errors.As(err, &said):
		return err
	case errors.Is(err, ErrForbidden):
		why = &Error{Kind: ErrForbidden, Hint: c.mayNotManageVCS(organization)}
	case !errors.Is(err, ErrNotFound):
		return err
	default:
		if !errors.As(c.Explain404(ctx, organization), &why) {
			return err
		}
	}
	explained := *said
	explained.Kind, explained.Hint = why.Kind, why.Hint
	return &explained
}

// Organizations lists the names of all organizations that the token sees.
func (c *Client) Organizations(ctx context.Context) ([]string, error) {
	found, _, err := c.pages(ctx, request{op: "listing organizations", object: "of " + c.address.Host}, "organizations", nil)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(found))
	for i, r := range found {
		names[i] = r.ID // its name is its id
	}
	slices.Sort(names)
	return names, nil
}

// Projects lists the organization's projects, id by name.
func (c *Client) Projects(ctx context.Context, organization string) (map[string]string, error) {
	return c.idsByName(ctx, organization, "projects")
}

// AgentPools lists the organization's agent pools, id by name.
func (c *Client) AgentPools(ctx context.Context, organization string) (map[string]string, error) {
	return c.idsByName(ctx, organization, "agent-pools")
}

func (c *Client) idsByName(ctx context.Context, organization, kind string) (map[string]string, error) {
	path, err := organizationPath(organization, "/"+kind)
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the " + kind + " of organization", object: organization}
	found, _, err := c.pages(ctx, req, path, nil)
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string, len(found))
	for _, r := range found {
		var a struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(r.Attributes, &a); err != nil {
			return nil, broken(req, err)
		}
		ids[a.Name] = r.ID
	}
	return ids, nil
}
