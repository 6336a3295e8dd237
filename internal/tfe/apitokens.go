package tfe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// An Owner is whose an API token is.
type Owner struct {
	Kind OwnerKind
	ID   string // of an organization, its name
}

// OwnerKind says what owns a token.
type OwnerKind string

// The owners of API tokens, as Terraform names them.
const (
	UserToken         OwnerKind = "users"
	TeamToken         OwnerKind = "teams"
	OrganizationToken OwnerKind = "organizations"
)

// An APIToken is a token that requests to Terraform are made with, without its text.
type APIToken struct {
	ID          string
	Owner       Owner
	Description string
	Created     time.Time
	Expires     time.Time // zero: never
}

// OwnToken finds out which token this client uses. ErrUnsupported: this release does
// not say. ErrForbidden: the token may not be read with itself; ID and Owner are set
// all the same.
func (c *Client) OwnToken(ctx context.Context) (APIToken, error) {
	req := request{op: "asking which token is used at", object: c.address.Host}
	var have one
	err := c.get(ctx, req, "account/details", nil, &have)
	if errors.Is(err, ErrNotFound) {
		return APIToken{}, &Error{Op: req.op, Object: req.object, Status: http.StatusNotFound, Kind: ErrUnsupported}
	}
	if err != nil {
		return APIToken{}, err
	}
	if have.Data == nil {
		return APIToken{}, noData(req)
	}
	own := APIToken{ID: lastPart(have.Data.Links.AuthToken)}
	var owner typed
	if json.Unmarshal(have.Data.Relationships["authenticated-resource"].Data, &owner) == nil {
		own.Owner = Owner{OwnerKind(owner.Type), owner.ID}
	}
	if own.ID == "" {
		return own, &Error{Op: req.op, Object: req.object, Kind: ErrUnsupported}
	}
	read, err := c.APIToken(ctx, own.ID)
	if errors.Is(err, ErrNotFound) {
		return own, &Error{Op: "reading API token", Object: own.ID, Status: http.StatusNotFound, Kind: ErrForbidden}
	}
	if err == nil {
		own.Description, own.Created, own.Expires = read.Description, read.Created, read.Expires
	}
	return own, err
}

// lastPart returns the id in a link such as /api/v2/authentication-tokens/at-1.
func lastPart(link string) string {
	return link[strings.LastIndex(link, "/")+1:]
}

// APIToken reads a token of one's own, or of a team that one manages. ErrNotFound
// stands for those of others, too.
func (c *Client) APIToken(ctx context.Context, id string) (APIToken, error) {
	path, err := objectPath("authentication-tokens", id, "")
	if err != nil {
		return APIToken{}, err
	}
	req := request{op: "reading API token", object: id}
	var have one
	if err := c.get(ctx, req, path, nil, &have); err != nil {
		return APIToken{}, err
	}
	if have.Data == nil {
		return APIToken{}, noData(req)
	}
	return decodeAPIToken(req, *have.Data)
}

func decodeAPIToken(req request, r resource) (APIToken, error) {
	var a struct {
		Created     time.Time  `json:"created-at"`
		Expired     *time.Time `json:"expired-at"`
		Description *string    `json:"description"`
	}
	if err := json.Unmarshal(r.Attributes, &a); err != nil {
		return APIToken{}, &Error{Op: req.op, Object: req.object, Kind: ErrUnavailable, Cause: err}
	}
	t := APIToken{ID: r.ID, Created: a.Created}
	if a.Description != nil {
		t.Description = *a.Description
	}
	if a.Expired != nil {
		t.Expires = *a.Expired
	}
	return t, nil
}

// SeveralTokens reports whether a kind of owner can have more than one token at a
// time. An organization has one: a new one ends the old one at once.
func (k OwnerKind) SeveralTokens() bool { return k == UserToken || k == TeamToken }

func (o Owner) tokensPath() (string, error) {
	if !o.Kind.SeveralTokens() {
		return "", &Error{Op: "managing the API tokens of", Object: o.ID, Kind: ErrUnsupported}
	}
	return objectPath(string(o.Kind), o.ID, "/authentication-tokens")
}

// CreateAPIToken makes one more token for the owner of this client's own, which stays
// as it is. The description must be new for the owner; a zero expires lets Terraform
// decide. It is sent once: what becomes of a lost answer, APITokens tells by the
// description. ErrUnsupported: Terraform makes no second token here.
func (c *Client) CreateAPIToken(ctx context.Context, owner Owner, description string, expires time.Time) (APIToken, secret.Text, error) {
	path, err := owner.tokensPath()
	if err != nil {
		return APIToken{}, secret.Text{}, err
	}
	attributes := map[string]any{"description": description}
	if !expires.IsZero() {
		attributes["expired-at"] = expires.UTC().Format(time.RFC3339)
	}
	req := request{op: "creating an API token of", object: owner.ID, takes: object("authentication-tokens", "")}
	body := &updateBody{Data: updateData{Type: "authentication-tokens", Attributes: attributes}}
	var have one
	err = c.do(ctx, req, func(ctx context.Context) error { return c.raw(ctx, http.MethodPost, path, body, &have) })
	switch {
	case unsure(err):
		return APIToken{}, secret.Text{}, &Error{Op: req.op, Object: req.object, Kind: ErrUnknownOutcome, Cause: err, Hint: "run again: the next run looks for it and deletes it"}
	case errors.Is(err, ErrNotFound):
		return APIToken{}, secret.Text{}, &Error{
			Op: req.op, Object: req.object, Status: http.StatusNotFound, Kind: ErrUnsupported,
			Hint: "this Terraform gives a team one token only, or the team may not manage its tokens: \"Manage teams\", or its setting for member token management",
		}
	case err != nil:
		return APIToken{}, secret.Text{}, err
	}
	made, err := decodeAPIToken(req, *have.Data)
	made.Owner = owner
	var a struct {
		Token string `json:"token"`
	}
	if err == nil && (json.Unmarshal(have.Data.Attributes, &a) != nil || a.Token == "") {
		err = &Error{Op: req.op, Object: req.object, Kind: ErrUnavailable, Hint: "the answer has no token"}
	}
	return made, secret.New(a.Token), err
}

func (c *Client) teamOrganization(ctx context.Context, owner Owner) (string, error) {
	path, err := objectPath(string(owner.Kind), owner.ID, "")
	if err != nil {
		return "", err
	}
	req := request{op: "reading team", object: owner.ID}
	var have one
	if err := c.get(ctx, req, path, nil, &have); err != nil {
		return "", err
	}
	if have.Data == nil {
		return "", noData(req)
	}
	return have.Data.Relationships["organization"].id(), nil
}

func (c *Client) teamTokens(ctx context.Context, organization string) ([]resource, error) {
	path, err := organizationPath(organization, "/team-tokens")
	if err != nil {
		return nil, err
	}
	found, _, err := c.pages(ctx, request{op: "listing the team tokens of organization", object: organization}, path, nil)
	return found, err
}

// APITokens lists the tokens of an owner: of the user whose token this is, or of a
// team whose tokens may be managed.
func (c *Client) APITokens(ctx context.Context, owner Owner) ([]APIToken, error) {
	found, err := c.tokensOf(ctx, owner)
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the API tokens of", object: owner.ID}
	var out []APIToken
	for _, r := range found {
		if owner.Kind == TeamToken && r.Relationships["team"].id() != owner.ID {
			continue
		}
		t, err := decodeAPIToken(req, r)
		if err != nil {
			return nil, err
		}
		t.Owner = owner
		out = append(out, t)
	}
	return out, nil
}

func (c *Client) tokensOf(ctx context.Context, owner Owner) ([]resource, error) {
	if owner.Kind == TeamToken {
		organization, err := c.teamOrganization(ctx, owner)
		if err != nil {
			return nil, err
		}
		return c.teamTokens(ctx, organization)
	}
	path, err := owner.tokensPath()
	if err != nil {
		return nil, err
	}
	found, _, err := c.pages(ctx, request{op: "listing the API tokens of", object: owner.ID}, path, url.Values{})
	return found, err
}

// DeleteAPIToken deletes a token. ErrNotFound: it is gone, or this client may not.
func (c *Client) DeleteAPIToken(ctx context.Context, id string) error {
	return c.remove(ctx, "authentication-tokens", id, "deleting API token")
}
