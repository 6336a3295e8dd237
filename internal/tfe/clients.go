package tfe

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
)

// An OAuthClient is an organization's connection to a VCS provider.
type OAuthClient struct {
	ID                 string
	Name               string // "" for none; not unique
	HTTPURL, APIURL    string
	Key                string // the consumer key
	RSAPublicKey       string // PEM as it was given
	ServiceProvider    string
	ConnectURL         string // where a person authorizes it
	CallbackURL        string
	Created            time.Time
	OrganizationScoped *bool    // nil: the server does not tell
	Projects           []string // ids
	AgentPool          string   // id, "" for none
	Organization       string   // as Terraform spells it; "" when it does not say
	Token              *Token   // the newest, nil before somebody has authorized it
	Tokens             []Token  // one at most, as documented
}

// A Token is what Terraform got when somebody authorized a client.
type Token struct {
	ID        string
	Created   time.Time
	User      string // of the VCS provider: who clicked
	HasSSHKey bool
}

type clientAttributes struct {
	Name               *string   `json:"name"`
	HTTPURL            string    `json:"http-url"`
	APIURL             string    `json:"api-url"`
	Key                string    `json:"key"`
	RSAPublicKey       string    `json:"rsa-public-key"`
	ServiceProvider    string    `json:"service-provider"`
	ConnectPath        string    `json:"connect-path"`
	CallbackURL        string    `json:"callback-url"`
	CreatedAt          time.Time `json:"created-at"`
	OrganizationScoped *bool     `json:"organization-scoped"`
	AffectedWorkspaces []string  `json:"affected-workspaces"`
	AffectedCount      *int      `json:"affected-workspaces-count"`
}

type tokenAttributes struct {
	CreatedAt time.Time `json:"created-at"`
	User      string    `json:"service-provider-user"`
	HasSSHKey bool      `json:"has-ssh-key"`
}

const includeTokens = "oauth_tokens"

// Clients lists the organization's OAuth clients with their tokens: one request
// for up to 100 of them, where the server includes tokens as it should.
func (c *Client) Clients(ctx context.Context, organization string) ([]OAuthClient, error) {
	path, err := organizationPath(organization, "/oauth-clients")
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the OAuth clients of organization", object: organization}
	query := url.Values{}
	if !c.noInclude.Load() {
		query.Set("include", includeTokens)
	}
	found, included, err := c.pages(ctx, req, path, query)
	if e := (*Error)(nil); errors.As(err, &e) && e.Status == http.StatusBadRequest && query.Has("include") {
		// A release that does not know the relation to include.
		c.noInclude.Store(true)
		query.Del("include")
		found, included, err = c.pages(ctx, req, path, query)
	}
	if err != nil {
		return nil, err
	}
	tokens := map[string]Token{}
	for _, r := range included {
		if t, err := decodeToken(r); err == nil && r.Type == "oauth-tokens" {
			tokens[t.ID] = t
		}
	}
	clients := make([]OAuthClient, 0, len(found))
	for _, r := range found {
		client, err := c.decodeClient(ctx, req, r, tokens)
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, nil
}

// decodeClient reads one. Tokens that were not included are asked for.
func (c *Client) decodeClient(ctx context.Context, req request, r resource, tokens map[string]Token) (OAuthClient, error) {
	var a clientAttributes
	if err := httpx.Unmarshal(r.Attributes, &a); err != nil {
		return OAuthClient{}, broken(req, err)
	}
	have := OAuthClient{
		ID: r.ID, HTTPURL: a.HTTPURL, APIURL: a.APIURL, Key: a.Key, RSAPublicKey: a.RSAPublicKey, ServiceProvider: a.ServiceProvider,
		ConnectURL: c.absolute(a.ConnectPath), CallbackURL: a.CallbackURL, Created: a.CreatedAt, OrganizationScoped: a.OrganizationScoped,
		Projects: r.Relationships["projects"].ids(), AgentPool: r.Relationships["agent-pool"].id(),
		Organization: r.Relationships["organization"].id(),
	}
	if a.Name != nil {
		have.Name = *a.Name
	}
	for _, id := range r.Relationships["oauth-tokens"].ids() {
		t, known := tokens[id]
		if !known {
			var err error
			if have.Tokens, err = c.clientTokens(ctx, have.ID); err != nil {
				return OAuthClient{}, err
			}
			break
		}
		have.Tokens = append(have.Tokens, t)
	}
	slices.SortFunc(have.Tokens, func(a, b Token) int { return b.Created.Compare(a.Created) })
	if len(have.Tokens) > 0 {
		have.Token = &have.Tokens[0]
	}
	return have, nil
}

func decodeToken(r resource) (Token, error) {
	var a tokenAttributes
	if err := httpx.Unmarshal(r.Attributes, &a); err != nil {
		return Token{}, err
	}
	return Token{ID: r.ID, Created: a.CreatedAt, User: a.User, HasSSHKey: a.HasSSHKey}, nil
}

func (c *Client) clientTokens(ctx context.Context, id string) ([]Token, error) {
	path, err := objectPath("oauth-clients", id, "/oauth-tokens")
	if err != nil {
		return nil, err
	}
	req := request{op: "listing the OAuth tokens of OAuth client", object: id}
	found, _, err := c.pages(ctx, req, path, nil)
	if err != nil {
		return nil, err
	}
	var tokens []Token
	for _, r := range found {
		t, err := decodeToken(r)
		if err != nil {
			return nil, broken(req, err)
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// absolute makes a path of the server a URL that a person can open.
func (c *Client) absolute(path string) string {
	u, err := url.Parse(path)
	if path == "" || err != nil {
		return ""
	}
	u = c.address.ResolveReference(u)
	if u.Host != c.address.Host || u.Scheme != c.address.Scheme {
		return "" // a person would be sent there to log in
	}
	return u.String()
}
