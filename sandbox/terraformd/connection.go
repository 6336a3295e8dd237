package terraformd

import (
	"slices"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// connection is a copy of what a client and its token say, so that Bitbucket can
// be called without holding the lock.
type connection struct {
	organization string
	client       string // oc-…
	provider     provider
	httpURL      string
	apiURL       string
	consumer     string
	private      secret.Text
	access       secret.Text
	accessSecret secret.Text
	sshKey       secret.Text
}

func connectionOf(o *organization, c *client) connection {
	conn := connection{
		organization: o.Name, client: c.ID, provider: c.provider(), httpURL: c.HTTPURL, apiURL: c.APIURL,
		consumer: c.Key, private: c.Secret.Text,
	}
	if c.Token != nil {
		conn.access, conn.accessSecret, conn.sshKey = c.Token.Access.Text, c.Token.AccessSecret.Text, c.Token.SSHKey.Text
	}
	return conn
}

// connection finds the connection that a token id names in an organization, as
// far as a project may use it (empty: any). With a token of another organization
// the real server is reported to hang; this one says what it says of an unknown
// token.
func (s *Server) connection(o *organization, token, project string) (connection, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.index.client[token]
	if c == nil || c.Token == nil || c.Token.ID != token || s.index.owner[token] != o {
		return connection{}, unprocessable("OAuth token does not exist")
	}
	if project != "" && !c.OrganizationScoped && !slices.Contains(c.Projects, project) {
		return connection{}, unprocessable("OAuth token does not exist")
	}
	return connectionOf(o, c), nil
}

const (
	eventsKept = 1000
	eventLife  = 10 * 24 * time.Hour // documented
)

// event notes why something with a connection failed.
func (s *Server) event(conn connection, message string) {
	s.opts.Log.Warn(message, "organization", conn.organization, "client", conn.client)
	_ = s.write("vcs event", func() error {
		s.state.Events = append(s.state.Events, event{
			ID: newID("ve"), At: s.now(), Level: "error", Message: message, Organization: conn.organization, Client: conn.client,
		})
		if over := len(s.state.Events) - eventsKept; over > 0 {
			s.state.Events = slices.Clone(s.state.Events[over:])
		}
		return nil
	})
}
