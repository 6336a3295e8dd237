package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// SSHSettings say how Bitbucket is reached over SSH.
type SSHSettings struct {
	Enabled     bool
	Host        string
	Port        int
	AccessKeys  bool   // access keys of projects and repositories are enabled
	Algorithm   string // of the fingerprint, as given
	Fingerprint string // of a host key, as given; its format is not certain: to show, not to compare
}

// Addr returns host:port.
func (s SSHSettings) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// defaultSSHPort is Bitbucket's own.
const defaultSSHPort = 7999

// SSHSettings reads them. Where they name no base URL, the host is that of the
// web address.
func (c *Client) SSHSettings(ctx context.Context) (SSHSettings, error) {
	var wire struct {
		Enabled           *bool
		Port              int
		BaseURL           string
		AccessKeysEnabled bool
		Fingerprint       *struct{ Algorithm, Value string }
	}
	q := call{op: "reading the SSH settings of", object: c.URL(), path: "/rest/ssh/1.0/settings"}
	err := c.do(ctx, q, func(a answer) error {
		if err := decode(&wire)(a); err != nil {
			return err
		}
		if wire.Enabled == nil {
			return errors.New("not SSH settings")
		}
		return nil
	})
	if err != nil {
		return SSHSettings{}, err
	}
	s := SSHSettings{Enabled: *wire.Enabled, Host: c.base.Hostname(), Port: wire.Port, AccessKeys: wire.AccessKeysEnabled}
	if wire.Fingerprint != nil {
		s.Algorithm, s.Fingerprint = wire.Fingerprint.Algorithm, wire.Fingerprint.Value
	}
	if !validPort(s.Port) {
		s.Port = defaultSSHPort
	}
	if wire.BaseURL == "" {
		return s, nil
	}
	if s.Host, s.Port, err = sshAddress(wire.BaseURL); err != nil {
		return SSHSettings{}, fmt.Errorf("the SSH base URL in the settings of %s, %s, cannot be used: %w; correct it under Administration, Server settings, or set host and port in the ssh block",
			c.URL(), quote(wire.BaseURL), err)
	}
	return s, nil
}

// sshAddress returns host and port of an SSH base URL. It is what clone links are
// made of and where clients connect to, so that a URL without a port means 22,
// whatever port Bitbucket itself listens on: the vendor's page on SSH port
// forwarding has it so. A scheme that is left out is ssh; whether a server keeps
// such a URL is not documented.
func sshAddress(base string) (host string, port int, err error) {
	if !strings.Contains(base, "://") {
		base = "ssh://" + base
	}
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Hostname() == "":
		return "", 0, errors.New("it names no host")
	case !strings.EqualFold(u.Scheme, "ssh"):
		return "", 0, errors.New("its scheme is not ssh")
	case u.Port() == "":
		return u.Hostname(), 22, nil
	}
	if port, err = strconv.Atoi(u.Port()); err != nil || !validPort(port) {
		return "", 0, errors.New("its port is none")
	}
	return u.Hostname(), port, nil
}

func validPort(port int) bool { return port > 0 && port <= 65535 }

// KeyPolicy is what the administrators allow as SSH keys (from 8.7 on).
type KeyPolicy struct {
	MaxExpiryDays int // 0: keys need not expire
	Restrictions  []KeyRestriction
}

// A KeyRestriction concerns one type of key.
type KeyRestriction struct {
	Algorithm string // "RSA", "ECDSA", "ED25519", "DSA"
	Allowed   bool
	MinLength int // bits; 0: any
}

// KeyPolicy reads it. ErrTooOld: the server has none, or not where it is looked
// for: the vendor's document leaves the module out of the path, so several are
// tried, and a refused key (ErrPolicy of AddSSHKey) is what is certain.
func (c *Client) KeyPolicy(ctx context.Context) (KeyPolicy, error) {
	var last error
	for _, path := range []string{"/rest/ssh/latest/admin", "/rest/ssh/1.0/admin", "/rest/keys/latest/admin", "/rest/admin"} {
		policy, err := c.readKeyPolicy(ctx, path)
		if !errors.Is(err, ErrNotFound) && !missing(err) {
			return policy, err
		}
		last = err
	}
	return KeyPolicy{}, tooOld(last)
}

func (c *Client) readKeyPolicy(ctx context.Context, path string) (policy KeyPolicy, err error) {
	q := call{op: "reading the server's rules for SSH keys at", object: c.URL(), path: path}
	found := false
	err = c.do(ctx, q, func(a answer) error {
		var fields map[string]json.RawMessage
		if json.Unmarshal(a.body, &fields) != nil || fields["maxExpiryDays"] == nil && fields["keyTypeRestrictions"] == nil {
			return nil // a page, or something else: not the resource, and no reason to ask again
		}
		found = true
		var wire struct {
			MaxExpiryDays       *int
			KeyTypeRestrictions []struct {
				Algorithm    string
				Allowed      *bool
				MinKeyLength *int
			}
		}
		if err := decode(&wire)(a); err != nil {
			return err
		}
		policy = KeyPolicy{}
		if wire.MaxExpiryDays != nil {
			policy.MaxExpiryDays = *wire.MaxExpiryDays
		}
		for _, r := range wire.KeyTypeRestrictions {
			one := KeyRestriction{Algorithm: r.Algorithm, Allowed: r.Allowed == nil || *r.Allowed}
			if r.MinKeyLength != nil {
				one.MinLength = *r.MinKeyLength
			}
			policy.Restrictions = append(policy.Restrictions, one)
		}
		return nil
	})
	if err == nil && !found {
		e := c.fault(q)
		e.kind = ErrNotFound
		return policy, e
	}
	return policy, err
}

// tooOld makes "not found" say that the feature is not there.
func tooOld(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.as(ErrTooOld, "")
	}
	return err
}
