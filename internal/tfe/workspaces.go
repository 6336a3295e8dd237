package tfe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	tfe "github.com/hashicorp/go-tfe"
)

// A Workspace is one as far as its repository goes.
type Workspace struct {
	ID         string
	Name       string
	Identifier string // PROJECT/repository, "" for none
	Branch     string // "" for the default one
	TokenID    string // of the OAuth token, "" for none
	WebhookURL string
	Submodules bool   // clones them, too
	TagsRegex  string // runs for tags that match, not for a branch
}

func decodeWorkspace(r resource) (Workspace, error) {
	var a struct {
		Name string `json:"name"`
		Repo *struct {
			Identifier string `json:"identifier"`
			Branch     string `json:"branch"`
			TokenID    string `json:"oauth-token-id"`
			WebhookURL string `json:"webhook-url"`
			Submodules bool   `json:"ingress-submodules"`
			TagsRegex  string `json:"tags-regex"`
		} `json:"vcs-repo"`
	}
	if err := json.Unmarshal(r.Attributes, &a); err != nil {
		return Workspace{}, err
	}
	have := Workspace{ID: r.ID, Name: a.Name}
	if a.Repo != nil {
		have.Identifier, have.Branch, have.TokenID, have.WebhookURL = a.Repo.Identifier, a.Repo.Branch, a.Repo.TokenID, a.Repo.WebhookURL
		have.Submodules, have.TagsRegex = a.Repo.Submodules, a.Repo.TagsRegex
	}
	return have, nil
}

// Workspace reads one by its name.
func (c *Client) Workspace(ctx context.Context, organization, name string) (Workspace, error) {
	path, err := organizationPath(organization, "/workspaces/"+url.PathEscape(name))
	if err != nil {
		return Workspace{}, err
	}
	req := request{op: "reading workspace", object: organization + "/" + name}
	var have one
	if err := c.get(ctx, req, path, nil, &have); err != nil {
		return Workspace{}, err
	}
	return c.oneWorkspace(req, have)
}

func (c *Client) oneWorkspace(req request, have one) (Workspace, error) {
	if have.Data == nil {
		return Workspace{}, noData(req)
	}
	w, err := decodeWorkspace(*have.Data)
	if err != nil {
		return Workspace{}, broken(req, err)
	}
	return w, nil
}

// WorkspacesByToken lists the organization's workspaces that use an OAuth token. The
// API cannot filter by that: it is a request for each hundred workspaces. A token
// that does not see all of them counts too few.
func (c *Client) WorkspacesByToken(ctx context.Context, organization, tokenID string) ([]Workspace, error) {
	all, err := c.Workspaces(ctx, organization)
	return slices.DeleteFunc(all, func(w Workspace) bool { return w.TokenID != tokenID }), err
}

// Workspaces lists those of the organization that the token sees: a request for
// each hundred.
func (c *Client) Workspaces(ctx context.Context, organization string) ([]Workspace, error) {
	path, err := organizationPath(organization, "/workspaces")
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the workspaces of organization", object: organization}
	found, _, err := c.pages(ctx, req, path, nil)
	if err != nil {
		return nil, err
	}
	all := make([]Workspace, 0, len(found))
	for _, r := range found {
		w, err := decodeWorkspace(r)
		if err != nil {
			return nil, broken(req, err)
		}
		all = append(all, w)
	}
	return all, nil
}

// CreateWorkspace makes a workspace on a repository. It is sent once; when its
// answer is lost, its name tells whether it was made.
func (c *Client) CreateWorkspace(ctx context.Context, organization, name, identifier, branch, tokenID string) (Workspace, error) {
	path, err := organizationPath(organization, "/workspaces")
	if err != nil {
		return Workspace{}, err
	}
	req := request{op: "creating workspace", object: organization + "/" + name, takes: object("workspaces", "")}
	want := &tfe.WorkspaceCreateOptions{Name: &name, VCSRepo: &tfe.VCSRepoOptions{Identifier: &identifier, Branch: orNil(branch), OAuthTokenID: &tokenID}}
	var made one
	err = c.do(ctx, req, func(ctx context.Context) error { return c.raw(ctx, http.MethodPost, path, want, &made) })
	if unsure(err) {
		have, readErr := c.Workspace(ctx, organization, name)
		if readErr == nil && have.Identifier == identifier && have.TokenID == tokenID {
			return have, nil
		}
		return Workspace{}, &Error{
			Op: req.op, Object: req.object, Kind: ErrUnknownOutcome, Cause: errors.Join(err, readErr),
			Hint: "look whether it is there",
		}
	}
	if err != nil {
		return Workspace{}, err
	}
	return c.oneWorkspace(req, made)
}

// MoveWorkspace makes a workspace use another OAuth token for the same repository.
func (c *Client) MoveWorkspace(ctx context.Context, id, tokenID string) error {
	path, err := objectPath("workspaces", id, "")
	if err != nil {
		return err
	}
	req := request{op: "moving workspace", object: id}
	var have one
	if err := c.get(ctx, req, path, nil, &have); err != nil {
		return err
	}
	w, err := c.oneWorkspace(req, have)
	if err != nil {
		return err
	}
	if w.Identifier == "" {
		return &Error{Op: req.op, Object: req.object, Kind: ErrInvalid, Hint: "it is on no repository"}
	}
	if w.TokenID == tokenID {
		return nil
	}
	// The whole of vcs-repo is written; whether one attribute alone would do is not known.
	req.idempotent, req.takes = true, object("workspaces", id)
	body := &tfe.WorkspaceUpdateOptions{VCSRepo: &tfe.VCSRepoOptions{
		Identifier: &w.Identifier, Branch: &w.Branch, OAuthTokenID: &tokenID,
		IngressSubmodules: &w.Submodules, TagsRegex: orNil(w.TagsRegex),
	}}
	err = c.do(ctx, req, func(ctx context.Context) error { return c.raw(ctx, http.MethodPatch, path, body, nil) })
	if e := (*Error)(nil); errors.As(err, &e) && (errors.Is(e.Kind, ErrNotFound) || errors.Is(e.Kind, ErrForbidden)) { // it was read just now
		e.Hint = "bbsync's token for " + c.address.Host + " sees the workspace and may not change it: in the organization's Settings, Teams, " +
			"give the team of that token \"Manage Workspaces\""
	}
	return err
}

// DeleteWorkspace deletes a workspace with everything in it.
func (c *Client) DeleteWorkspace(ctx context.Context, id string) error {
	return c.remove(ctx, "workspaces", id, "deleting workspace")
}
