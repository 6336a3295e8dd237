package terraformd

import (
	"slices"
	"strings"
	"time"
)

type authorizedRepo struct {
	Name              string `json:"name"`
	DisplayIdentifier string `json:"display-identifier"`
}

// authorizedRepos asks Bitbucket what the token sees. It tests REST access alone:
// neither SSH nor the right to make webhooks. A failure is a 404.
func (s *Server) authorizedRepos(c call) (reply, error) {
	if s.opts.Missing.AuthorizedRepos {
		return reply{}, notFound()
	}
	p := s.pager(c.Request)
	var conn connection
	err := s.read(func() error {
		o, found, err := s.tokenOf(c.actor, c.PathValue("token"), seeOrganization)
		if err == nil {
			conn = connectionOf(o, found)
		}
		return err
	})
	if err != nil {
		return reply{}, err
	}
	bb, err := s.bitbucket(conn)
	if err != nil {
		return reply{}, notFound()
	}
	repos, err := bb.repositories(c.Context())
	if err != nil {
		s.event(conn, "listing repositories: "+err.Error())
		return reply{}, notFound()
	}
	return ok(page(p, repos, func(r repository) resource {
		identifier := r.Project.Key + "/" + r.Slug
		return resource{ID: identifier, Type: "authorized-repos", Attributes: authorizedRepo{identifier, identifier}}
	})), nil
}

type repositoryCheck struct {
	Identifier string `json:"identifier"`
	Exists     bool   `json:"exists"`
}

func (s *Server) checkRepository(c call) (reply, error) {
	if s.opts.Missing.RepositoryCheck {
		return reply{}, notFound()
	}
	identifier, token := c.URL.Query().Get("identifier"), c.URL.Query().Get("oauth_token_id")
	var o *organization
	err := s.read(func() (err error) {
		o, err = s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	conn, err := s.connection(o, token, "")
	if err != nil {
		return reply{}, notFound()
	}
	exists := checkIdentifier(identifier) == nil
	if exists {
		bb, err := s.bitbucket(conn)
		if err == nil {
			_, err = bb.repository(c.Context(), identifier)
		}
		if exists = err == nil; !exists {
			s.event(conn, "checking repository "+identifier+": "+err.Error())
		}
	}
	return ok(one{Data: resource{ID: identifier, Type: "vcs-repo-check", Attributes: repositoryCheck{identifier, exists}}}), nil
}

type eventAttributes struct {
	CreatedAt      time.Time `json:"created-at"`
	Level          string    `json:"level"`
	Message        string    `json:"message"`
	OrganizationID string    `json:"organization-id"`
}

// listEvents tells what failed. The real server's documentation promises events
// for GitLab.com and private VCS alone; that it has them for any Bitbucket is the
// sandbox's kindness, and Missing.Events takes it back.
func (s *Server) listEvents(c call) (reply, error) {
	if s.opts.Missing.Events {
		return reply{}, notFound()
	}
	p, view := s.pager(c.Request), s.clientView(c)
	wanted, err := s.eventFilter(c)
	if err != nil {
		return reply{}, err
	}
	var document list
	err = s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), manageVCS)
		if err != nil {
			return err
		}
		var found []event
		for _, e := range slices.Backward(s.state.Events) {
			if e.Organization == o.Name && wanted(e) {
				found = append(found, e)
			}
		}
		document = page(p, found, func(e event) resource { return renderEvent(o, e) })
		if c.URL.Query().Get("include") == "oauth_client" {
			document.Included = s.eventClients(o, view, found)
		}
		return nil
	})
	return ok(document), err
}

func renderEvent(o *organization, e event) resource {
	return resource{
		ID: e.ID, Type: "vcs-events", Attributes: eventAttributes{e.At, e.Level, e.Message, o.ID},
		Relationships: map[string]relation{"oauth-client": toOne("oauth-clients", e.Client)},
	}
}

func (s *Server) eventClients(o *organization, view clientView, events []event) []resource {
	var shown []resource
	for _, c := range o.Clients {
		if slices.ContainsFunc(events, func(e event) bool { return e.Client == c.ID }) {
			shown = append(shown, view.render(o, c))
		}
	}
	return shown
}

func (s *Server) eventFilter(c call) (func(event) bool, error) {
	q := c.URL.Query()
	from, to := s.opts.Now().Add(-eventLife), s.opts.Now().Add(time.Minute)
	for name, bound := range map[string]*time.Time{"filter[from]": &from, "filter[to]": &to} {
		if text := q.Get(name); text != "" {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return nil, unprocessable(name + " is not a time")
			}
			*bound = at
		}
	}
	among := func(name, value string) bool {
		return q.Get(name) == "" || slices.Contains(strings.Split(q.Get(name), ","), value)
	}
	return func(e event) bool {
		return !e.At.Before(from) && !e.At.After(to) && among("filter[levels]", e.Level) &&
			among("filter[oauth_client_external_ids]", e.Client)
	}, nil
}
