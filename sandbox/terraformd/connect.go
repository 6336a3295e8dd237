package terraformd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/dghubble/oauth1"

	"github.com/bbsync/bbsync/internal/secret"
)

// authorizable finds the client of a connect path or callback for a user, who
// must be allowed to manage VCS settings.
func (s *Server) authorizable(u *user, uuid string) (*organization, *client, connection, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.ownerOf(actor{user: u}, uuid, manageVCS)
	if err != nil {
		return nil, nil, connection{}, err
	}
	c := s.index.client[uuid]
	if c == nil || c.UUID != uuid || !c.provider().connects {
		return nil, nil, connection{}, notFound()
	}
	return o, c, connectionOf(o, c), nil
}

// connect begins the OAuth 1.0a dance: it asks Bitbucket for a request token,
// signed with the client's key, and sends the browser there. Whether the real
// server takes the API's bearer token here is not known; this one wants a session,
// as everything outside of /api/v2. GET is the verb of a link.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	l, u, in := s.loggedIn(w, r)
	if !in {
		return
	}
	o, c, conn, err := s.authorizable(u, r.PathValue("uuid"))
	if err != nil || r.URL.Query().Get("organization_id") != strconv.Itoa(o.Number) {
		s.showMissing(w)
		return
	}
	config, err := s.consumer(conn)
	if err == nil {
		config.CallbackURL = c.callbackURL(s.address())
		err = s.askToken(w, r, l, c.UUID, config)
	}
	if err != nil {
		s.event(conn, "connecting: "+err.Error())
		s.showUnreachable(w, o)
	}
}

func (s *Server) askToken(w http.ResponseWriter, r *http.Request, l *login, uuid string, config *oauth1.Config) error {
	token, tokenSecret, err := config.RequestToken()
	if err != nil {
		return err
	}
	to, err := config.AuthorizationURL(token)
	if err != nil {
		return fmt.Errorf("the client's HTTP URL: %w", err)
	}
	s.logins.mu.Lock()
	l.pending[uuid] = credential{secret.New(token), secret.New(tokenSecret)}
	s.logins.mu.Unlock()
	http.Redirect(w, r, to.String(), http.StatusFound)
	return nil
}

// callback ends the dance: it swaps the request token for an access token, asks
// Bitbucket whose it is, and only then has the client a token.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	l, u, in := s.loggedIn(w, r)
	if !in {
		return
	}
	o, c, conn, err := s.authorizable(u, r.PathValue("uuid"))
	if err != nil {
		s.showMissing(w)
		return
	}
	notice, err := s.complete(r, l, o, c, conn)
	if err != nil {
		s.event(conn, "connecting: "+err.Error())
		s.showUnreachable(w, o)
		return
	}
	s.logins.mu.Lock()
	l.notice = notice
	s.logins.mu.Unlock()
	http.Redirect(w, r, settingsPath(o), http.StatusFound)
}

func (s *Server) complete(r *http.Request, l *login, o *organization, c *client, conn connection) (string, error) {
	token, verifier, err := oauth1.ParseAuthorizationCallback(r)
	if err != nil {
		return "", err
	}
	s.logins.mu.Lock()
	asked := l.pending[c.UUID]
	delete(l.pending, c.UUID)
	s.logins.mu.Unlock()
	switch {
	case asked.token.Empty() || !asked.token.Equal(secret.New(token)):
		return "", errors.New("the request token is not the one that this browser was sent away with")
	case verifier == "denied": // what Bitbucket sends for the Deny button
		return "Access was denied on Bitbucket.", nil
	}
	config, err := s.consumer(conn)
	if err != nil {
		return "", err
	}
	access, accessSecret, err := config.AccessToken(token, asked.secret.Reveal(), verifier)
	if err != nil {
		return "", err
	}
	conn.access, conn.accessSecret = secret.New(access), secret.New(accessSecret)
	return s.connected(r.Context(), o, c, conn)
}

// connected gives the client its token.
func (s *Server) connected(ctx context.Context, o *organization, c *client, conn connection) (string, error) {
	bb, err := s.bitbucket(conn)
	if err != nil {
		return "", err
	}
	name, err := bb.whoami(ctx)
	if err != nil {
		return "", err
	}
	err = s.write("oauth client connected", func() error {
		if s.index.client[c.ID] != c {
			return errors.New("the client was deleted meanwhile")
		}
		fresh := token{ID: newID("ot"), CreatedAt: s.now(), User: name, Access: kept{conn.access}, AccessSecret: kept{conn.accessSecret}}
		if c.Token != nil && s.opts.Choices.KeepTokenOnReconnect {
			fresh.ID, fresh.CreatedAt, fresh.SSHKey = c.Token.ID, c.Token.CreatedAt, c.Token.SSHKey
		} else if c.Token != nil {
			s.dropToken(o, c)
		}
		c.Token, c.UpdatedAt = &fresh, s.now()
		s.index.addClient(o, c)
		return nil
	})
	return "Connected to Bitbucket as " + name + ".", err
}
