package terraformd

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/secret"
)

// Connected is an OAuth client that somebody has authorized, complete with SSH
// key: a connection's end state, without the way there.
type Connected struct {
	Organization string
	Provider     string // service provider
	Name         string
	HTTPURL      string
	APIURL       string
	Key          string // of the consumer
	Secret       secret.Text
	RSAPublicKey string
	User         string // who clicked Allow
	SSHKey       secret.Text
	Access       secret.Text // Bitbucket's access token, whose own secret is empty; empty: none, the token opens nothing
}

// AddConnected adds such a client and returns the ids of it and of its token. No
// Bitbucket is asked.
func (s *Server) AddConnected(in Connected) (clientID, tokenID string, err error) {
	err = s.write("connected oauth client added", func() error {
		o := s.index.orgs[strings.ToLower(in.Organization)]
		if o == nil {
			return fmt.Errorf("there is no organization %q", in.Organization)
		}
		if p, known := providerNamed(in.Provider); !known || !p.connects {
			return fmt.Errorf("service provider %q has no connect path", in.Provider)
		}
		c := &client{
			ID: newID("oc"), UUID: newUUID(), Name: &in.Name, ServiceProvider: in.Provider, HTTPURL: in.HTTPURL, APIURL: in.APIURL,
			Key: in.Key, Secret: kept{in.Secret}, RSAPublicKey: in.RSAPublicKey, OrganizationScoped: true,
			CreatedAt: s.now(), UpdatedAt: s.now(),
			Token: &token{ID: newID("ot"), CreatedAt: s.now(), User: in.User, SSHKey: kept{in.SSHKey}, Access: kept{in.Access}},
		}
		o.Clients = append(o.Clients, c)
		s.index.addClient(o, c)
		clientID, tokenID = c.ID, c.Token.ID
		return nil
	})
	return clientID, tokenID, err
}
