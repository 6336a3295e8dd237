package tfe

import (
	"context"
	"errors"
	"net/http"
	"slices"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/internal/secret"
)

// NewClient is an OAuth client to make.
type NewClient struct {
	Name               string // "" for none
	HTTPURL, APIURL    string
	ServiceProvider    string
	Key                string      // the consumer key; "" lets Terraform make it and the pair
	Secret             secret.Text // RSA private key, PEM
	RSAPublicKey       string      // PEM
	OrganizationScoped bool        // every project may use it
	Projects           []string    // ids, when not OrganizationScoped
	AgentPool          string      // id, "" for none
}

func (n NewClient) options() *tfe.OAuthClientCreateOptions {
	o := &tfe.OAuthClientCreateOptions{
		Name: orNil(n.Name), APIURL: &n.APIURL, HTTPURL: &n.HTTPURL, Key: orNil(n.Key), Secret: orNil(n.Secret.Reveal()),
		RSAPublicKey: orNil(n.RSAPublicKey), ServiceProvider: new(tfe.ServiceProviderType(n.ServiceProvider)),
		OrganizationScoped: &n.OrganizationScoped,
	}
	for _, id := range n.Projects {
		o.Projects = append(o.Projects, &tfe.Project{ID: id})
	}
	if n.AgentPool != "" {
		o.AgentPool = &tfe.AgentPool{ID: n.AgentPool}
	}
	return o
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// CreateClient makes an OAuth client. It is sent once: names are not unique, and
// a second one would be a duplicate. When the answer is lost, the list tells
// whether it was made, by its key; ErrUnknownOutcome says that it could not. A
// refusal says what the token lacks.
func (c *Client) CreateClient(ctx context.Context, organization string, want NewClient) (OAuthClient, error) {
	path, err := organizationPath(organization, "/oauth-clients")
	if err != nil {
		return OAuthClient{}, err
	}
	req := request{op: "creating an OAuth client in organization", object: organization, takes: object("oauth-clients", "")}
	var made one
	ctx = sends(ctx, want.Secret)
	err = c.do(ctx, req, func(ctx context.Context) error {
		return c.raw(ctx, http.MethodPost, path, want.options(), &made)
	})
	if unsure(err) {
		return c.settleCreate(ctx, organization, want, req, err)
	}
	if err != nil {
		return OAuthClient{}, c.refused(ctx, organization, err)
	}
	return c.decodeClient(ctx, req, *made.Data, nil)
}

// unsure reports whether a write may have happened all the same. A cancelled
// request may have, too.
func unsure(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (c *Client) settleCreate(ctx context.Context, organization string, want NewClient, req request, cause error) (OAuthClient, error) {
	unknown := &Error{
		Op: req.op, Object: req.object, Kind: ErrUnknownOutcome, Cause: cause,
		Hint: "it may or may not have been created; run again: the next run looks first",
	}
	if want.Key == "" { // nothing to know it by
		return OAuthClient{}, unknown
	}
	clients, err := c.Clients(ctx, organization)
	if err != nil {
		unknown.Cause = errors.Join(cause, err)
		return OAuthClient{}, unknown
	}
	for _, have := range clients {
		if have.Key == want.Key {
			return have, nil
		}
	}
	if failed(cause) {
		return OAuthClient{}, cause
	}
	return OAuthClient{}, unknown // it may still be on its way
}

// failed reports whether the server itself said that it failed: a gateway's word
// (502, 504) says nothing of what happens behind it.
func failed(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusInternalServerError || e.Status == http.StatusServiceUnavailable)
}

// A ClientUpdate changes a client in place; what is nil stays. The URLs and the
// service provider cannot be changed.
type ClientUpdate struct {
	Name               *string // "" for none
	Key                *string
	Secret             *secret.Text
	RSAPublicKey       *string
	OrganizationScoped *bool
	Projects           *[]string // ids
	AgentPool          *string   // id, "" for none
}

// body is the PATCH. go-tfe's own options cannot set a name or a pool to none.
func (u ClientUpdate) body() *updateBody {
	attributes := map[string]any{}
	if u.Name != nil {
		attributes["name"] = orNil(*u.Name)
	}
	if u.Key != nil {
		attributes["key"] = *u.Key
	}
	if u.Secret != nil {
		attributes["secret"] = u.Secret.Reveal()
	}
	if u.RSAPublicKey != nil {
		attributes["rsa-public-key"] = *u.RSAPublicKey
	}
	if u.OrganizationScoped != nil {
		attributes["organization-scoped"] = *u.OrganizationScoped
	}
	relations := map[string]any{}
	if u.AgentPool != nil {
		var pool any
		if *u.AgentPool != "" {
			pool = typed{Type: "agent-pools", ID: *u.AgentPool}
		}
		relations["agent-pool"] = map[string]any{"data": pool}
	}
	return &updateBody{Data: updateData{Type: "oauth-clients", Attributes: attributes, Relationships: relations}}
}

type updateBody struct {
	Data updateData `json:"data"`
}

type updateData struct {
	Type          string         `json:"type"`
	Attributes    map[string]any `json:"attributes"`
	Relationships map[string]any `json:"relationships,omitempty"`
}

type typed struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// UpdateClient changes a client in place. It may be repeated, and is.
func (c *Client) UpdateClient(ctx context.Context, id string, u ClientUpdate) error {
	path, err := objectPath("oauth-clients", id, "")
	if err != nil {
		return err
	}
	req := request{op: "updating OAuth client", object: id, idempotent: true}
	if u.Secret != nil {
		ctx = sends(ctx, *u.Secret)
	}
	// Projects first when the client is to be shared with these alone: it must not
	// be shared with none in between, which would cut workspaces off.
	if u.Projects != nil {
		if err := c.setProjects(ctx, path, req, *u.Projects, false); err != nil {
			return err
		}
	}
	body := u.body()
	if len(body.Data.Attributes)+len(body.Data.Relationships) > 0 {
		write := req
		write.takes = object("oauth-clients", id)
		err := c.do(ctx, write, func(ctx context.Context) error { return c.raw(ctx, http.MethodPatch, path, body, nil) })
		if err != nil {
			return err
		}
	}
	if u.Projects != nil {
		return c.setProjects(ctx, path, req, *u.Projects, true)
	}
	return nil
}

// setProjects attaches the projects that are missing, or detaches the others.
func (c *Client) setProjects(ctx context.Context, path string, req request, want []string, detach bool) error {
	var have one
	if err := c.get(ctx, req, path, nil, &have); err != nil {
		return err
	}
	if have.Data == nil {
		return noData(req)
	}
	attached := have.Data.Relationships["projects"].ids()
	method, from, among := http.MethodPost, want, attached
	if detach {
		method, from, among = http.MethodDelete, attached, want
	}
	var list projectList
	for _, id := range from {
		if !slices.Contains(among, id) {
			list.Data = append(list.Data, typed{Type: "projects", ID: id})
		}
	}
	if list.Data == nil {
		return nil
	}
	req.takes = nothing
	return c.do(ctx, req, func(ctx context.Context) error {
		return c.raw(ctx, method, path+"/relationships/projects", &list, nil)
	})
}

type projectList struct {
	Data []typed `json:"data"`
}

// DeleteClient deletes a client with its tokens, which unlinks the workspaces
// that use it: ask Affected before. A client that is not there is ErrNotFound.
func (c *Client) DeleteClient(ctx context.Context, id string) error {
	return c.remove(ctx, "oauth-clients", id, "deleting OAuth client")
}

// remove deletes. When an answer was lost, "not found" says that it was done.
func (c *Client) remove(ctx context.Context, kind, id, op string) error {
	path, err := objectPath(kind, id, "")
	if err != nil {
		return err
	}
	lost := false
	err = c.do(ctx, request{op: op, object: id, idempotent: true, takes: nothing}, func(ctx context.Context) error {
		err := c.raw(ctx, http.MethodDelete, path, nil, nil)
		x, _ := ctx.Value(exchangeKey{}).(*exchange)
		if lost && x.status == http.StatusNotFound {
			*x = exchange{status: http.StatusNoContent}
			return nil
		}
		lost = lost || x.status == 0 || x.status >= http.StatusInternalServerError || x.status < http.StatusBadRequest && nothing(*x) != nil
		return err
	})
	return err
}
