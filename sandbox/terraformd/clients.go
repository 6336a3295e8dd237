package terraformd

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// affectedLimit is how many names affected-workspaces holds at most; the count is
// exact.
const affectedLimit = 25

type clientAttributes struct {
	Name                       *string   `json:"name"`
	ServiceProvider            string    `json:"service-provider"`
	ServiceProviderDisplayName string    `json:"service-provider-display-name"`
	HTTPURL                    string    `json:"http-url"`
	APIURL                     string    `json:"api-url"`
	Key                        *string   `json:"key"`
	Secret                     *string   `json:"secret"` // always null: it is written, never read
	RSAPublicKey               *string   `json:"rsa-public-key"`
	CallbackURL                string    `json:"callback-url"`
	ConnectPath                string    `json:"connect-path"`
	OrganizationScoped         bool      `json:"organization-scoped"`
	CreatedAt                  time.Time `json:"created-at"`
	UpdatedAt                  time.Time `json:"updated-at"`
	AffectedWorkspaces         *[]string `json:"affected-workspaces,omitempty"`
	AffectedWorkspacesCount    *int      `json:"affected-workspaces-count,omitempty"`
}

// clientView is how a request wants clients to be shown.
type clientView struct {
	base     string
	affected bool
	tokens   bool
	projects bool
}

func (s *Server) clientView(c call) clientView {
	view := clientView{base: s.address()}
	view.affected = c.has("show_affected_workspaces") && !s.opts.Missing.AffectedWorkspaces
	for include := range strings.SplitSeq(c.URL.Query().Get("include"), ",") {
		view.tokens = view.tokens || include == "oauth_tokens"
		view.projects = view.projects || include == "projects"
	}
	return view
}

func (c *client) callbackURL(base string) string { return base + "/auth/" + c.UUID + "/callback" }

func (c *client) connectPath(o *organization) string {
	return fmt.Sprintf("/auth/%s?organization_id=%d", c.UUID, o.Number)
}

func (v clientView) render(o *organization, c *client) resource {
	attributes := clientAttributes{
		Name: c.Name, ServiceProvider: c.ServiceProvider, ServiceProviderDisplayName: c.provider().display,
		HTTPURL: c.HTTPURL, APIURL: c.APIURL, Key: orNull(c.Key), RSAPublicKey: orNull(c.RSAPublicKey),
		CallbackURL: c.callbackURL(v.base), ConnectPath: c.connectPath(o),
		OrganizationScoped: c.OrganizationScoped, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	if v.affected {
		names := o.affected(c)
		attributes.AffectedWorkspacesCount = new(len(names))
		attributes.AffectedWorkspaces = new(names[:min(len(names), affectedLimit)])
	}
	path := "/api/v2/oauth-clients/" + c.ID
	return resource{
		ID: c.ID, Type: "oauth-clients", Attributes: attributes,
		Relationships: map[string]relation{
			"organization": toOne("organizations", o.Name).linked("/api/v2/organizations/" + o.Name),
			"projects":     toMany("projects", c.Projects...),
			"oauth-tokens": toMany("oauth-tokens", c.tokenIDs()...).linked(path + "/oauth-tokens"),
			"agent-pool":   toOne("agent-pools", c.AgentPool),
		},
		Links: map[string]string{"self": path},
	}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (c *client) tokenIDs() []string {
	if c.Token == nil {
		return nil
	}
	return []string{c.Token.ID}
}

// affected lists the names of the workspaces that use the client.
func (o *organization) affected(c *client) []string {
	names := []string{}
	for _, w := range o.Workspaces {
		if c.Token != nil && w.Repo != nil && w.Repo.Token == c.Token.ID {
			names = append(names, w.Name)
		}
	}
	slices.Sort(names)
	return names
}

// included renders what the request asked to have along, each resource once.
func (v clientView) included(o *organization, clients []*client) []resource {
	var found []resource
	seen := map[string]bool{}
	for _, c := range clients {
		if v.tokens && c.Token != nil {
			found = append(found, renderToken(c))
		}
		for _, id := range c.Projects {
			if p := o.project(id); v.projects && p != nil && !seen[id] {
				seen[id] = true
				found = append(found, renderProject(o, p))
			}
		}
	}
	return found
}

func (s *Server) listClients(c call) (reply, error) {
	p, view := s.pager(c.Request), s.clientView(c)
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		document = pageOrAll(p, o.Clients, func(c *client) resource { return view.render(o, c) })
		shown := o.Clients
		if p.asked {
			shown, _, _ = cut(p, o.Clients)
		}
		document.Included = view.included(o, shown)
		return nil
	})
	return ok(document), err
}

// clientOf finds a client and its organization. The caller holds the lock.
func (s *Server) clientOf(a actor, id string, p permission) (*organization, *client, error) {
	o, err := s.ownerOf(a, id, p)
	if err != nil {
		return nil, nil, err
	}
	c := s.index.client[id]
	if c == nil || c.ID != id {
		return nil, nil, notFound()
	}
	return o, c, nil
}

func (s *Server) readClient(c call) (reply, error) {
	view := s.clientView(c)
	var document one
	err := s.read(func() error {
		o, found, err := s.clientOf(c.actor, c.PathValue("client"), seeOrganization)
		if err != nil {
			return err
		}
		document = one{Data: view.render(o, found), Included: view.included(o, []*client{found})}
		return nil
	})
	return ok(document), err
}
