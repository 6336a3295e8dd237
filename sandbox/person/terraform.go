package person

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// A Client is an OAuth client as a person sees it in an organization's
// settings.
type Client struct {
	ID, Name, Org string
	Connect       string // the address behind the Connect button
	Token         string // id; "" until it is connected
	HTTPURL       string
}

type clientDocument struct {
	ID         string `json:"id"`
	Attributes struct {
		Name        *string `json:"name"`
		ConnectPath string  `json:"connect-path"`
		HTTPURL     string  `json:"http-url"`
	} `json:"attributes"`
	Relationships struct {
		Tokens struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		} `json:"oauth-tokens"`
	} `json:"relationships"`
}

// Organizations returns the names of all organizations.
func (p *Person) Organizations(ctx context.Context) ([]string, error) {
	var doc struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := p.terraform(ctx, http.MethodGet, "/organizations?page%5Bsize%5D=100", nil, &doc); err != nil {
		return nil, err
	}
	var out []string
	for _, o := range doc.Data {
		out = append(out, o.ID)
	}
	return out, nil
}

// Clients returns an organization's OAuth clients.
func (p *Person) Clients(ctx context.Context, org string) ([]Client, error) {
	var doc struct {
		Data []clientDocument `json:"data"`
	}
	if err := p.terraform(ctx, http.MethodGet, "/organizations/"+org+"/oauth-clients", nil, &doc); err != nil {
		return nil, err
	}
	var out []Client
	for _, d := range doc.Data {
		c := Client{ID: d.ID, Org: org, Connect: p.facts.Terraform.Address + d.Attributes.ConnectPath, HTTPURL: d.Attributes.HTTPURL}
		if d.Attributes.Name != nil {
			c.Name = *d.Attributes.Name
		}
		if tokens := d.Relationships.Tokens.Data; len(tokens) > 0 {
			c.Token = tokens[0].ID
		}
		out = append(out, c)
	}
	return out, nil
}

// A Workspace is what became of a workspace that was made on a repository.
type Workspace struct {
	ID, Webhook string
	Commit      string // that Terraform's side cloned over SSH
}

// CreateWorkspace makes a workspace on a repository, as a person does to see
// whether the connection works.
func (p *Person) CreateWorkspace(ctx context.Context, org, name, identifier string) (Workspace, error) {
	token, err := p.token(ctx, org)
	if err != nil {
		return Workspace{}, err
	}
	in := map[string]any{"data": map[string]any{"type": "workspaces", "attributes": map[string]any{
		"name": name, "vcs-repo": map[string]any{"identifier": identifier, "oauth-token-id": token},
	}}}
	var doc struct {
		Data struct {
			ID         string `json:"id"`
			Attributes struct {
				Repo struct {
					Webhook string `json:"webhook-url"`
				} `json:"vcs-repo"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err = p.terraform(ctx, http.MethodPost, "/organizations/"+org+"/workspaces", in, &doc); err != nil {
		return Workspace{}, err
	}
	w := Workspace{ID: doc.Data.ID, Webhook: doc.Data.Attributes.Repo.Webhook}
	w.Commit, err = p.cloned(ctx, w.ID)
	return w, err
}

// token returns the OAuth token of the newest connected VCS provider.
func (p *Person) token(ctx context.Context, org string) (string, error) {
	clients, err := p.Clients(ctx, org)
	if err != nil {
		return "", err
	}
	for _, c := range slices.Backward(clients) {
		if c.Token != "" {
			return c.Token, nil
		}
	}
	return "", fmt.Errorf("organization %s has no connected VCS provider", org)
}

// CreatePolicySet makes a policy set on a repository.
func (p *Person) CreatePolicySet(ctx context.Context, org, name, identifier string) error {
	token, err := p.token(ctx, org)
	if err != nil {
		return err
	}
	return p.terraform(ctx, http.MethodPost, "/organizations/"+org+"/policy-sets", map[string]any{"data": map[string]any{
		"type": "policy-sets", "attributes": map[string]any{
			"name": name, "vcs-repo": map[string]any{"identifier": identifier, "oauth-token-id": token},
		},
	}}, nil)
}

// CreateModule makes a registry module on a repository, of a provider.
func (p *Person) CreateModule(ctx context.Context, org, name, provider, identifier string) error {
	token, err := p.token(ctx, org)
	if err != nil {
		return err
	}
	return p.terraform(ctx, http.MethodPost, "/organizations/"+org+"/registry-modules/vcs", map[string]any{"data": map[string]any{
		"type": "registry-modules", "attributes": map[string]any{
			"name": name, "provider": provider,
			"vcs-repo": map[string]any{"identifier": identifier, "display-identifier": identifier, "oauth-token-id": token},
		},
	}}, nil)
}

// cloned waits for the clone and returns the commit it fetched.
func (p *Person) cloned(ctx context.Context, workspace string) (string, error) {
	if err := p.call(ctx, http.MethodPost, p.facts.Control+"/settle", nil, nil, func(*http.Request) {}); err != nil {
		return "", err
	}
	var doc struct {
		Data []struct {
			ID         string `json:"id"`
			Attributes struct {
				Status  string `json:"status"`
				Message string `json:"error-message"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := p.terraform(ctx, http.MethodGet, "/workspaces/"+workspace+"/configuration-versions", nil, &doc); err != nil {
		return "", err
	}
	if len(doc.Data) == 0 {
		return "", fmt.Errorf("workspace %s fetched nothing", workspace)
	}
	newest := doc.Data[0]
	if newest.Attributes.Status != "uploaded" {
		return "", fmt.Errorf("the clone ended as %q: %s", newest.Attributes.Status, newest.Attributes.Message)
	}
	var ingress struct {
		Data struct {
			Attributes struct {
				Commit string `json:"commit-sha"`
			} `json:"attributes"`
		} `json:"data"`
	}
	err := p.terraform(ctx, http.MethodGet, "/configuration-versions/"+newest.ID+"/ingress-attributes", nil, &ingress)
	return ingress.Data.Attributes.Commit, err
}
