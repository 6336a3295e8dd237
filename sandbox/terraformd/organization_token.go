package terraformd

import (
	"strings"
	"time"
)

// organizationTokenAttributes tell the token's text only when it is made.
type organizationTokenAttributes struct {
	CreatedAt time.Time `json:"created-at"`
	Token     *string   `json:"token"`
}

// renderOrganizationToken shows the one token that an organization can have.
func renderOrganizationToken(o *organization, text *string) resource {
	return resource{
		ID: "at-" + strings.TrimPrefix(o.ID, "org-"), Type: "authentication-tokens",
		Attributes: organizationTokenAttributes{o.TokenMade, text},
	}
}

// createOrganizationToken makes the organization's token, replacing the one it
// had. It is the only time that the token is told.
func (s *Server) createOrganizationToken(c call) (reply, error) {
	var document one
	err := s.write("organization token created", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
		if err != nil {
			return err
		}
		text := newID("sandbox") + ".atlasv1." + randomHex(32)
		s.index.dropOrganizationToken(o)
		o.Token, o.TokenMade = keep(text), s.now()
		s.index.addOrganizationToken(o)
		document.Data = renderOrganizationToken(o, &text)
		return nil
	})
	return created(document), err
}

func (s *Server) readOrganizationToken(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
		switch {
		case err != nil:
			return err
		case o.Token.Empty():
			return notFound()
		}
		document.Data = renderOrganizationToken(o, nil)
		return nil
	})
	return ok(document), err
}

func (s *Server) deleteOrganizationToken(c call) (reply, error) {
	return noContent(), s.write("organization token deleted", func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), ownOrganization)
		switch {
		case err != nil:
			return err
		case o.Token.Empty():
			return notFound()
		}
		s.index.dropOrganizationToken(o)
		o.Token, o.TokenMade = keep(""), time.Time{}
		return nil
	})
}
