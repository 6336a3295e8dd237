// Package vault logs in to HashiCorp Vault (or OpenBao) and reads and writes the
// records of connections there: one KV version 2 secret each, every write
// check-and-set. It knows nothing of the configuration, of plans, or of the other
// two systems.
package vault

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/names"
)

const (
	defaultMount    = "secret"
	defaultPath     = "bbsync"
	defaultTimeout  = 30 * time.Second
	defaultPatience = 15 * time.Second
)

// Config says which Vault, where in it, and how to log in. Nothing is taken
// from the environment but the proxy.
type Config struct {
	Address   string        // https://host:port, or unix:///path of the socket of an agent
	Namespace string        // Vault Enterprise, HCP Vault, OpenBao; empty: the root namespace
	CA        []byte        // PEM; when set, these authorities are trusted and no others
	Gateway   httpx.Gateway // what a gateway in front of it wants
	Mount     string        // KV version 2; empty: "secret"
	Path      string        // under which the records are; empty: "bbsync"
	Auth      Auth          // how to log in
	Timeout   time.Duration // of one request; 0: 30 s
	Patience  time.Duration // how long to go on asking a Vault that is sealed, overloaded or away; 0: 15 s
	UserAgent string
}

// A Client is a login to one Vault. It may be used by many goroutines.
type Client struct {
	cfg       Config
	api       *api.Client
	transport *transport

	alive context.Context // ends with Close
	end   context.CancelFunc
	tasks sync.WaitGroup

	login  sync.Mutex       // held while logging in
	unwrap *string          // the secret id that the wrapping token held, once unwrapped
	fresh  chan *api.Secret // a login made out of turn, for the renewer

	mounts mounts
	leased leased
}

// Login logs in and checks that what Config names is there: the namespace, and
// a mount that is KV version 2 (version 1 would ignore check-and-set in
// silence). The token is renewed in the background until Close.
func Login(ctx context.Context, cfg Config) (*Client, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, fresh: make(chan *api.Secret, 1)}
	c.alive, c.end = context.WithCancel(context.WithoutCancel(ctx))
	if c.transport, err = newTransport(c.alive, cfg); err != nil {
		c.end()
		return nil, err
	}
	if c.api, err = newAPI(cfg, c.transport); err != nil {
		c.end()
		return nil, err
	}
	if err := c.open(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Client) open(ctx context.Context) error {
	made, err := c.logIn(ctx)
	if err != nil {
		return err
	}
	if err := c.checkNamespace(ctx); err != nil {
		return err
	}
	if err := c.checkMount(ctx); err != nil {
		return err
	}
	if made.Auth.LeaseDuration > 0 {
		c.tasks.Go(func() { c.keep(made) })
	}
	return nil
}

// Close stops the renewal, ends what is under way, and revokes what Vault made for
// this client: leased secrets, and the token if it came from a login of ours. Leases
// of records must be released before.
func (c *Client) Close() {
	if c.alive.Err() == nil {
		c.revokeLeases()
	}
	if c.cfg.Auth.again() && c.api.Token() != "" && c.alive.Err() == nil {
		ctx, cancel := context.WithTimeout(c.alive, 3*time.Second)
		// Best effort: the token ends by itself, later.
		_ = c.api.Auth().Token().RevokeSelfWithContext(ctx, "")
		cancel()
	}
	c.end()
	c.tasks.Wait()
	c.transport.http.CloseIdleConnections()
}

// Certificates returns the certificates of the connection, which end.
func (c *Client) Certificates() []httpx.Certificate { return c.transport.http.Certificates() }

func (cfg Config) complete() (Config, error) {
	address, err := names.VaultURL(cfg.Address)
	if err != nil {
		return cfg, fmt.Errorf("vault: the address: %w", err)
	}
	cfg.Address = address
	cfg.Mount = or(strings.Trim(cfg.Mount, "/"), defaultMount)
	cfg.Path = or(strings.Trim(cfg.Path, "/"), defaultPath)
	cfg.Namespace = strings.Trim(cfg.Namespace, "/")
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	for what, path := range map[string]string{"mount": cfg.Mount, "path": cfg.Path} {
		if err := checkPath(path); err != nil {
			return cfg, fmt.Errorf("vault: %s: %w", what, err)
		}
	}
	return cfg, cfg.Auth.check()
}

// url returns the address that requests name. Over a socket it names this machine.
func (cfg Config) url() string {
	if cfg.socket() != "" {
		return "http://localhost"
	}
	return cfg.Address
}

// socket returns the path of the socket, "" for none.
func (cfg Config) socket() string {
	path, ok := strings.CutPrefix(cfg.Address, "unix://")
	if !ok {
		return ""
	}
	return path
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// newAPI makes the client such that none of the VAULT_* variables has a say:
// NewClient takes token, namespace and headers from them. It also fails when one
// of them is malformed, which cannot be prevented here.
func newAPI(cfg Config, t *transport) (*api.Client, error) {
	conf := &api.Config{
		Address: cfg.url(), HttpClient: t.client(), MaxRetries: 0,
		MinRetryWait: time.Second, MaxRetryWait: time.Second,
	}
	client, err := api.NewClient(conf)
	if err != nil {
		return nil, fmt.Errorf("vault: %w (a VAULT_* variable of the environment may be malformed)", err)
	}
	client.ClearToken()
	client.SetHeaders(map[string][]string{api.RequestHeaderName: {"true"}})
	client.SetMaxRetries(0)
	if cfg.Namespace != "" {
		client.SetNamespace(cfg.Namespace)
	}
	return client, nil
}

// checkPath refuses what vault/api would clean away: "a/../b" would be written
// to "b".
func checkPath(path string) error {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%q: empty, \".\" and \"..\" parts are not allowed in a path", clean(path))
		}
	}
	if clean(path) != path {
		return fmt.Errorf("%q: too long, or with control characters", clean(path))
	}
	return nil
}
