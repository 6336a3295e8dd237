package terraformd

import (
	"fmt"
	"slices"
)

// clientChange is what PATCH takes. The last three cannot be changed: the real
// server's documentation no longer lists them. Whether it refuses or ignores them
// is not known; refusing shows a client's mistake.
type clientChange struct {
	Name               optional[string] `json:"name"`
	Key                optional[string] `json:"key"`
	Secret             optional[string] `json:"secret"`
	RSAPublicKey       optional[string] `json:"rsa-public-key"`
	OAuthTokenString   optional[string] `json:"oauth-token-string"`
	OrganizationScoped optional[bool]   `json:"organization-scoped"`
	HTTPURL            optional[string] `json:"http-url"`
	APIURL             optional[string] `json:"api-url"`
	ServiceProvider    optional[string] `json:"service-provider"`
}

func (s *Server) updateClient(c call) (reply, error) {
	in, err := readBody[clientChange](s, c.Request, "oauth-clients", adoAttributes())
	if err != nil {
		return reply{}, err
	}
	view := s.clientView(c)
	var document one
	err = s.write("oauth client updated", func() error {
		o, found, err := s.clientOf(c.actor, c.PathValue("client"), manageVCS)
		if err != nil {
			return err
		}
		changed := *found
		if err := in.attributes.apply(&changed); err != nil {
			return err
		}
		if err := s.relate(o, &changed, in.relationships, in); err != nil {
			return err
		}
		changed.UpdatedAt = s.now()
		*found = changed
		document = one{Data: view.render(o, found), Included: view.included(o, []*client{found})}
		return nil
	})
	return ok(document), err
}

// apply changes a copy of the client. A change of key or secret leaves the token:
// whether the real server drops it is not known, and Bitbucket decides anyway
// whether the access token still works.
func (in clientChange) apply(c *client) error {
	if err := in.immutable(c); err != nil {
		return err
	}
	p := c.provider()
	if in.Name.set {
		c.Name = in.Name.value
	}
	if in.Key.set {
		if in.Key.or("") == "" && p.connects {
			return unprocessable(fmt.Sprintf("The Consumer Key for %s must be present. Please add a value for `key`.", p.display))
		}
		c.Key = in.Key.or("")
	}
	if in.Secret.or("") != "" { // an empty one changes nothing; what the real server does is not known
		c.Secret = keep(in.Secret.or(""))
	}
	if in.RSAPublicKey.or("") != "" {
		c.RSAPublicKey = in.RSAPublicKey.or("")
	}
	if in.OrganizationScoped.set {
		c.OrganizationScoped = in.OrganizationScoped.or(true)
	}
	return in.personal(c)
}

func (in clientChange) immutable(c *client) error {
	for _, fixed := range []struct {
		attribute string
		want      optional[string]
		have      string
	}{{"http-url", in.HTTPURL, c.HTTPURL}, {"api-url", in.APIURL, c.APIURL}, {"service-provider", in.ServiceProvider, c.ServiceProvider}} {
		if fixed.want.set && fixed.want.or("") != fixed.have {
			return invalid(fixed.attribute, fixed.attribute+" cannot be changed for an existing VCS connection")
		}
	}
	return nil
}

// personal sets the personal access token of a provider that takes one. The tfe
// provider sends an empty one for Bitbucket at every update.
func (in clientChange) personal(c *client) error {
	text := in.OAuthTokenString.or("")
	switch {
	case text == "":
		return nil
	case c.provider().connects:
		return invalid("oauth-token-string", fmt.Sprintf("Oauth token string is not supported for %s", c.provider().display))
	case c.Token != nil:
		changed := *c.Token
		changed.Access = keep(text)
		c.Token = &changed
	}
	return nil
}

func (s *Server) deleteClient(c call) (reply, error) {
	return noContent(), s.write("oauth client deleted", func() error {
		o, found, err := s.clientOf(c.actor, c.PathValue("client"), manageVCS)
		if err != nil {
			return err
		}
		if found.Token != nil {
			s.unlink(o, found.Token.ID)
		}
		o.Clients = slices.DeleteFunc(o.Clients, func(other *client) bool { return other == found })
		s.index.dropClient(found)
		return nil
	})
}

// unlink takes the repository from each workspace that used the token. Documented
// for the deletion of a client; assumed for that of a token. Of policy sets,
// go-tfe's own tests tell that it is taken away some time after the client's
// deletion; here it is at once. Of registry modules nothing is known but errors
// that the documentation puts down to a broken connection: the guess is that they
// go on naming the token that is gone.
func (s *Server) unlink(o *organization, token string) {
	for _, w := range o.Workspaces {
		if w.Repo != nil && w.Repo.Token == token {
			delete(s.index.spaces, w.Repo.Hook)
			w.Repo = nil
			w.UpdatedAt = s.now()
		}
	}
	for _, p := range o.PolicySets {
		if p.Repo != nil && p.Repo.Token == token {
			p.Repo = nil
			p.UpdatedAt = s.now()
		}
	}
}
