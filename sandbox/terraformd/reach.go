package terraformd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const reachTimeout = 10 * time.Second

// CanClone reports, as an error, why a clone with the key that a client's token
// holds would fail now; nil: it would not. The client is named by its id or name.
// With a workspace on the connection its repository is asked for; without one the
// login alone is tried. Nothing is written anywhere.
func (s *Server) CanClone(ctx context.Context, organization, client string) error {
	conn, cloneURL, err := s.reachable(organization, client)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if cloneURL == "" {
		if cloneURL, err = s.sshAddress(ctx, conn); err != nil {
			return err
		}
	}
	return s.reach(ctx, conn, cloneURL)
}

// CanFetch is CanClone for one workspace, with the token that it uses.
func (s *Server) CanFetch(ctx context.Context, organization, workspace string) error {
	conn, cloneURL, err := s.fetchable(organization, workspace)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	return s.reach(ctx, conn, cloneURL)
}

// fetchable finds a workspace's connection and clone URL.
func (s *Server) fetchable(organization, name string) (connection, string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.index.orgs[strings.ToLower(organization)]
	if o == nil {
		return connection{}, "", fmt.Errorf("there is no organization %q", organization)
	}
	for _, w := range o.Workspaces {
		switch {
		case w.Name != name:
		case w.Repo == nil:
			return connection{}, "", fmt.Errorf("workspace %q is on no repository", name)
		case s.index.client[w.Repo.Token] == nil:
			return connection{}, "", fmt.Errorf("workspace %q uses the token %s, which is gone", name, w.Repo.Token)
		default:
			return connectionOf(o, s.index.client[w.Repo.Token]), w.Repo.CloneURL, nil
		}
	}
	return connection{}, "", fmt.Errorf("organization %q has no workspace %q", organization, name)
}

// reach logs in and asks for the repository, where the URL names one.
func (s *Server) reach(ctx context.Context, conn connection, cloneURL string) error {
	at, err := parseRemote(cloneURL)
	if err != nil {
		return err
	}
	shell, err := s.dial(ctx, at, conn.sshKey)
	if err != nil {
		return err
	}
	defer shell.Close()
	if strings.Trim(at.path, "/") == "" {
		return nil
	}
	var problem bytes.Buffer
	session, in, out, err := uploadPack(shell, at.path, &problem)
	if err != nil {
		return err
	}
	// The first packet is the advertisement of references. A flush in answer says
	// that nothing is wanted.
	_, err = io.ReadFull(out, make([]byte, 4))
	_, _ = io.WriteString(in, "0000")
	_ = session.Close()
	_ = session.Wait()
	if err != nil {
		return fmt.Errorf("asking for %s: %s", at.path, strings.TrimSpace(problem.String()))
	}
	return nil
}

// reachable finds a connection and the clone URL of a workspace on it.
func (s *Server) reachable(organization, name string) (connection, string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.index.orgs[strings.ToLower(organization)]
	if o == nil {
		return connection{}, "", fmt.Errorf("there is no organization %q", organization)
	}
	for _, c := range o.Clients {
		if c.ID != name && (c.Name == nil || *c.Name != name) {
			continue
		}
		if c.Token == nil {
			return connection{}, "", fmt.Errorf("client %q is not connected", name)
		}
		for _, w := range o.Workspaces {
			if w.Repo != nil && w.Repo.Token == c.Token.ID {
				return connectionOf(o, c), w.Repo.CloneURL, nil
			}
		}
		return connectionOf(o, c), "", nil
	}
	return connection{}, "", fmt.Errorf("organization %q has no client %q", organization, name)
}

// sshAddress asks Bitbucket where its SSH server is.
func (s *Server) sshAddress(ctx context.Context, conn connection) (string, error) {
	bb, err := s.bitbucket(conn)
	if err != nil {
		return "", err
	}
	var settings struct {
		Enabled bool   `json:"enabled"`
		Port    int    `json:"port"`
		BaseURL string `json:"baseUrl"`
	}
	if _, err := bb.do(ctx, http.MethodGet, "ssh/1.0/settings", nil, &settings); err != nil {
		return "", err
	}
	page, err := url.Parse(conn.httpURL)
	switch {
	case err != nil:
		return "", errors.New("the client's HTTP URL does not parse")
	case !settings.Enabled:
		return "", errors.New("SSH access is disabled on Bitbucket")
	}
	host, port := page.Hostname(), strconv.Itoa(settings.Port)
	if base, err := url.Parse(settings.BaseURL); err == nil && base.Hostname() != "" {
		host = base.Hostname()
		if base.Port() != "" {
			port = base.Port()
		}
	}
	return "ssh://git@" + net.JoinHostPort(host, port), nil
}
