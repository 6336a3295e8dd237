package tfe

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"
)

// AuthorizedRepos lists the repositories (PROJECT/repository) that Terraform sees
// through a token: it asks the VCS provider there and then. ErrTokenRefused says
// that it could not, ErrUnsupported that this release cannot be asked.
//
// Terraform answers 404 in either case. HCP Terraform has the call (its OpenAPI
// document does), and so has a server that answered it before; of any other
// nothing is claimed.
func (c *Client) AuthorizedRepos(ctx context.Context, tokenID string) ([]string, error) {
	path, err := objectPath("oauth-tokens", tokenID, "/authorized-repos")
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the repositories that are seen with OAuth token", object: tokenID}
	found, _, err := c.pages(ctx, req, path, nil)
	if errors.Is(err, ErrNotFound) {
		return nil, c.explainProbe(ctx, tokenID, err)
	}
	if err != nil {
		return nil, err
	}
	c.sawRepos.Store(true)
	names := make([]string, 0, len(found))
	for _, r := range found {
		var a struct {
			Name              string `json:"name"`
			DisplayIdentifier string `json:"display-identifier"`
		}
		if err := json.Unmarshal(r.Attributes, &a); err != nil {
			return nil, broken(req, err)
		}
		name := a.Name
		if name == "" {
			name = a.DisplayIdentifier
		}
		names = append(names, name)
	}
	return names, nil
}

// explainProbe says what a 404 of a probe meant.
func (c *Client) explainProbe(ctx context.Context, tokenID string, err error) error {
	if _, err := c.Token(ctx, tokenID); err != nil {
		return err // the token itself is gone, or out of reach
	}
	e := &Error{}
	errors.As(err, &e)
	why := *e
	why.Kind, why.Hint = ErrUnsupported, ""
	if c.IsCloud() || c.sawRepos.Load() {
		why.Kind, why.Hint = ErrTokenRefused, "Terraform could not use it on its VCS provider; a person has to authorize the connection again"
	}
	return &why
}

// HasRepository asks whether Terraform sees one repository, PROJECT/repository.
// It tests the API of the VCS provider, neither SSH nor the right to make webhooks.
func (c *Client) HasRepository(ctx context.Context, organization, identifier, tokenID string) (bool, error) {
	path, err := organizationPath(organization, "/vcs/repo")
	if err != nil {
		return false, err
	}
	req := request{op: "looking for repository", object: identifier}
	var have one
	err = c.get(ctx, req, path, url.Values{"identifier": {identifier}, "oauth_token_id": {tokenID}}, &have)
	if errors.Is(err, ErrNotFound) {
		// Absent tokens are answered so, too; and releases without this call.
		if _, err := c.Token(ctx, tokenID); err != nil {
			return false, err
		}
		return false, &Error{Op: req.op, Object: req.object, Kind: ErrUnsupported}
	}
	if err != nil {
		return false, err
	}
	var a struct {
		Exists bool `json:"exists"`
	}
	if have.Data == nil || json.Unmarshal(have.Data.Attributes, &a) != nil {
		return false, noData(req)
	}
	return a.Exists, nil
}

// A VCSEvent is what Terraform noted about a connection. Kept for ten days, and
// documented for few providers: none is no good sign.
type VCSEvent struct {
	At      time.Time
	Level   string // "info", "error"
	Message string
	Client  string // id of the OAuth client, "" if not told
}

// VCSEvents lists the organization's, newest first as the server has them.
// ErrUnsupported says that this release has none.
func (c *Client) VCSEvents(ctx context.Context, organization string) ([]VCSEvent, error) {
	path, err := organizationPath(organization, "/vcs-events")
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the VCS events of organization", object: organization}
	found, _, err := c.pages(ctx, req, path, nil)
	if errors.Is(err, ErrNotFound) {
		return nil, &Error{Op: req.op, Object: req.object, Kind: ErrUnsupported, Hint: "or the token may not read them"}
	}
	if err != nil {
		return nil, err
	}
	events := make([]VCSEvent, 0, len(found))
	for _, r := range found {
		var a struct {
			CreatedAt time.Time `json:"created-at"`
			Level     string    `json:"level"`
			Message   string    `json:"message"`
		}
		if err := json.Unmarshal(r.Attributes, &a); err != nil {
			return nil, broken(req, err)
		}
		events = append(events, VCSEvent{At: a.CreatedAt, Level: a.Level, Message: a.Message, Client: r.Relationships["oauth-client"].id()})
	}
	return events, nil
}
