package terraformd

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bbsync/bbsync/internal/keys"
)

type clientInput struct {
	OrganizationID     optional[string] `json:"organization-id"` // for POST /oauth-clients alone
	Name               optional[string] `json:"name"`
	ServiceProvider    optional[string] `json:"service-provider"`
	HTTPURL            optional[string] `json:"http-url"`
	APIURL             optional[string] `json:"api-url"`
	Key                optional[string] `json:"key"`
	Secret             optional[string] `json:"secret"`
	RSAPublicKey       optional[string] `json:"rsa-public-key"`
	OAuthTokenString   optional[string] `json:"oauth-token-string"`
	PrivateKey         optional[string] `json:"private-key"`
	OrganizationScoped optional[bool]   `json:"organization-scoped"`
	UUID               optional[string] `json:"uuid"` // what the user interface sends
}

// adoAttributes are of Azure DevOps alone.
func adoAttributes() defaults {
	return defaults{"ado-org-name": "null", "ado-entra-tenant-id": "null"}
}

func (s *Server) createClient(c call) (reply, error) {
	in, err := readBody[clientInput](s, c.Request, "oauth-clients", adoAttributes())
	if err != nil {
		return reply{}, err
	}
	name := c.PathValue("organization")
	if name == "" {
		name = in.attributes.OrganizationID.or("")
	} else if in.attributes.OrganizationID.set {
		return reply{}, invalid("organization-id", "organization-id is not an attribute of this resource")
	}
	// Forbidden before invalid, so that nobody learns of an organization by a 422.
	err = s.read(func() error {
		o, err := s.organization(c.actor, name, manageVCS)
		if err == nil && o.NoVCS {
			return notFound() // documented: a missing entitlement is a 404
		}
		return err
	})
	if err != nil {
		return reply{}, err
	}
	if err := checkProvider(in.attributes); err != nil {
		return reply{}, err
	}
	made, err := s.newClient(in.attributes)
	if err != nil {
		return reply{}, err
	}
	return s.addClient(c, name, in, made)
}

func (s *Server) addClient(c call, name string, in body[clientInput], made *client) (reply, error) {
	view := s.clientView(c)
	var document one
	err := s.write("oauth client created", func() error {
		o, err := s.organization(c.actor, name, manageVCS)
		if err != nil {
			return err
		}
		if err := s.relate(o, made, in.relationships, in); err != nil {
			return err
		}
		if s.index.client[made.UUID] != nil {
			return invalid("uuid", "Uuid has already been taken")
		}
		o.Clients = append(o.Clients, made)
		s.index.addClient(o, made)
		document.Data = view.render(o, made)
		return nil
	})
	return created(document), err
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// newClient makes the client that a valid input asks for.
func (s *Server) newClient(in clientInput) (*client, error) {
	p, _ := providerNamed(in.ServiceProvider.or(""))
	c := &client{
		ID: newID("oc"), UUID: in.UUID.or(newUUID()), Name: in.Name.value, ServiceProvider: p.name,
		HTTPURL: strings.TrimRight(in.HTTPURL.or(""), "/"), APIURL: strings.TrimRight(in.APIURL.or(""), "/"),
		Key: in.Key.or(""), Secret: keep(in.Secret.or("")), RSAPublicKey: in.RSAPublicKey.or(""),
		OrganizationScoped: in.OrganizationScoped.or(true), CreatedAt: s.now(), UpdatedAt: s.now(),
	}
	if !uuidForm.MatchString(c.UUID) {
		return nil, invalid("uuid", "Uuid is invalid")
	}
	if !p.connects {
		// Who a personal token belongs to the real server asks the VCS provider; the
		// sandbox has none of these to ask.
		c.Token = &token{ID: newID("ot"), CreatedAt: s.now(), User: "sandbox", Access: keep(in.OAuthTokenString.or(""))}
		return c, nil
	}
	return c, s.generateKeys(c)
}

// generateKeys gives a Bitbucket client what it was not given. That an API client
// may leave key and secret out is inferred: the user interface does, and go-tfe's
// tests do and then update the client. The PEMs that were given are not checked,
// as the real server does not; a wrong pair shows at the connect path.
func (s *Server) generateKeys(c *client) error {
	if s.opts.Choices.NoKeyGeneration {
		return nil
	}
	if c.Key == "" {
		c.Key = randomHex(16)
	}
	if !c.Secret.Empty() {
		return nil
	}
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		return fmt.Errorf("generating a consumer's keys: %w", err)
	}
	c.Secret, c.RSAPublicKey = kept{pair.Private}, pair.Public
	return nil
}
