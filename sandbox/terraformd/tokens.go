package terraformd

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/secret"
)

// tokenAttributes has no uid: go-tfe knows one, and its own test fails when a
// server sends it.
type tokenAttributes struct {
	CreatedAt           time.Time `json:"created-at"`
	ServiceProviderUser string    `json:"service-provider-user"`
	HasSSHKey           bool      `json:"has-ssh-key"`
}

func renderToken(c *client) resource {
	path := "/api/v2/oauth-tokens/" + c.Token.ID
	return resource{
		ID: c.Token.ID, Type: "oauth-tokens",
		Attributes: tokenAttributes{c.Token.CreatedAt, c.Token.User, !c.Token.SSHKey.Empty()},
		Relationships: map[string]relation{
			"oauth-client": toOne("oauth-clients", c.ID).linked("/api/v2/oauth-clients/" + c.ID),
		},
		Links: map[string]string{"self": path},
	}
}

func (s *Server) listClientTokens(c call) (reply, error) {
	p := s.pager(c.Request)
	var document list
	err := s.read(func() error {
		_, found, err := s.clientOf(c.actor, c.PathValue("client"), seeOrganization)
		if err != nil {
			return err
		}
		document = pageOrAll(p, connected([]*client{found}, ""), renderToken)
		return nil
	})
	return ok(document), err
}

// connected keeps the clients that have a token, of one provider if it is named.
func connected(clients []*client, provider string) []*client {
	return slices.DeleteFunc(slices.Clone(clients), func(c *client) bool {
		return c.Token == nil || provider != "" && c.ServiceProvider != provider
	})
}

func (s *Server) listTokens(c call) (reply, error) {
	p := s.pager(c.Request)
	var document list
	err := s.read(func() error {
		o, err := s.organization(c.actor, c.PathValue("organization"), seeOrganization)
		if err != nil {
			return err
		}
		document = pageOrAll(p, connected(o.Clients, c.URL.Query().Get("filter[provider]")), renderToken)
		return nil
	})
	return ok(document), err
}

// tokenOf finds a token by its id, as the client that has it. The caller holds
// the lock.
func (s *Server) tokenOf(a actor, id string, p permission) (*organization, *client, error) {
	o, err := s.ownerOf(a, id, p)
	if err != nil {
		return nil, nil, err
	}
	c := s.index.client[id]
	if c == nil || c.Token == nil || c.Token.ID != id {
		return nil, nil, notFound()
	}
	return o, c, nil
}

func (s *Server) readToken(c call) (reply, error) {
	var document one
	err := s.read(func() error {
		_, found, err := s.tokenOf(c.actor, c.PathValue("token"), seeOrganization)
		if err == nil {
			document.Data = renderToken(found)
		}
		return err
	})
	return ok(document), err
}

type tokenChange struct {
	SSHKey optional[string] `json:"ssh-key"`
}

// updateToken sets the SSH key that clones use. Null takes it away, which is a
// guess: no source says how a key is removed. An organization's token may do this,
// as it manages VCS connections (inferred).
func (s *Server) updateToken(c call) (reply, error) {
	in, err := readBody[tokenChange](s, c.Request, "oauth-tokens", nil)
	if err != nil {
		return reply{}, err
	}
	key := in.attributes.SSHKey
	var document one
	err = s.write("oauth token updated", func() error {
		_, found, err := s.tokenOf(c.actor, c.PathValue("token"), manageVCS)
		if err != nil {
			return err
		}
		if key.value != nil && !s.acceptsKey(secret.New(*key.value)) {
			return &problem{
				status: http.StatusUnprocessableEntity, title: "invalid attribute", detail: "Ssh key is invalid",
				pointer: "/data/attributes/ssh-key",
			}
		}
		if key.set {
			found.Token.SSHKey = keep(key.or(""))
		}
		document.Data = renderToken(found)
		return nil
	})
	return ok(document), err
}

// acceptsKey reports whether a text is a private key. RSA in PEM is documented and
// 1024 bits are known to pass; that other types and OpenSSH's own format pass is a
// guess, and so is what happens to a passphrase (Choices.AcceptEncryptedSSHKey).
func (s *Server) acceptsKey(text secret.Text) bool {
	_, err := ssh.ParseRawPrivateKey([]byte(text.Reveal()))
	if _, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		return s.opts.Choices.AcceptEncryptedSSHKey
	}
	return err == nil
}

// Deleting a token sends e-mails and so has a limit of its own.
const (
	deletionLimit  = 10
	deletionWindow = time.Minute
)

func (s *Server) deleteToken(c call) (reply, error) {
	if wait := s.deletionWait(c.actor); wait > 0 {
		seconds := strconv.FormatFloat(wait.Seconds(), 'f', 3, 64)
		return reply{
			status: http.StatusTooManyRequests, document: tooManyRequests(),
			headers: map[string]string{"X-RateLimit-Limit": strconv.Itoa(deletionLimit), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": seconds},
		}, nil
	}
	return noContent(), s.write("oauth token deleted", func() error {
		o, found, err := s.tokenOf(c.actor, c.PathValue("token"), manageVCS)
		if err != nil {
			return err
		}
		s.dropToken(o, found)
		return nil
	})
}

// dropToken deletes a client's token. The caller holds the lock.
func (s *Server) dropToken(o *organization, c *client) {
	s.unlink(o, c.Token.ID)
	s.index.dropToken(c.Token)
	c.Token = nil
}

// deletionWait counts a deletion and returns how long its user has to wait; zero:
// not at all.
func (s *Server) deletionWait(a actor) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	recent := slices.DeleteFunc(s.emails[a.name()], func(at time.Time) bool { return now.Sub(at) >= deletionWindow })
	if len(recent) >= deletionLimit {
		s.emails[a.name()] = recent
		return deletionWindow - now.Sub(recent[0])
	}
	s.emails[a.name()] = append(recent, now)
	return 0
}
