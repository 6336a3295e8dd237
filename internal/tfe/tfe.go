// Package tfe asks HCP Terraform and Terraform Enterprise the few things that
// bbsync needs, over go-tfe, which nothing else imports. It hides go-tfe's
// surprises: the ping whose status it ignores, the status codes it loses, its
// limiter that stops at two thirds, its own repetition of requests, and the
// malformed header that makes it end the process.
//
// It compares nothing and decides nothing: it knows neither the files nor plans.
package tfe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	tfe "github.com/hashicorp/go-tfe"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
)

const (
	defaultTimeout  = 60 * time.Second
	defaultPatience = 20 * time.Second
)

// Config says which Terraform and with which token.
type Config struct {
	Address   string         // https://host[:port]
	Token     secret.Text    // of a user, a team or an organization
	CA        []byte         // PEM; when set, these authorities are trusted and no others
	Gateway   httpx.Gateway  // what a gateway in front of it wants
	Limiter   *limit.Limiter // the token's, shared by all who use it; nil: one of this client's own
	Timeout   time.Duration  // of one request; 0: 60 s
	Patience  time.Duration  // how long to repeat what may be repeated; 0: 20 s
	UserAgent string
}

// A Client asks one Terraform with one token. It may be used by many goroutines.
type Client struct {
	api       *tfe.Client
	address   *url.URL
	transport *transport
	patience  time.Duration

	noInclude atomic.Bool // the server refuses include=oauth_tokens
	sawRepos  atomic.Bool // the server has answered authorized-repos
}

// New makes a client, and makes one request to see that Terraform is there. Most
// likely a bad token is found out by the first request after it only: it is not
// known whether the ping looks at it.
func New(ctx context.Context, cfg Config) (*Client, error) {
	address, err := checkAddress(cfg.Address)
	if err != nil {
		return nil, err
	}
	if cfg.Token.Empty() {
		return nil, errors.New("terraform: no token")
	}
	inner, err := httpx.New(httpx.Options{
		Origin: address, CA: cfg.CA, Gateway: cfg.Gateway, Timeout: cmp.Or(cfg.Timeout, defaultTimeout), MaxBody: maxAnswer, Redact: httpx.NewRedactor(cfg.Token),
	})
	if err != nil {
		return nil, fmt.Errorf("terraform: %w", err)
	}
	if cfg.Limiter == nil {
		cfg.Limiter = limit.New(limit.Options{})
	}
	c := &Client{address: address, patience: cmp.Or(cfg.Patience, defaultPatience)}
	c.transport = &transport{http: inner, limiter: cfg.Limiter}
	headers := http.Header{}
	if cfg.UserAgent != "" {
		headers.Set("User-Agent", cfg.UserAgent)
	}
	config := &tfe.Config{
		// Everything that go-tfe would otherwise take from TFE_* is set.
		Address: address.String(), BasePath: tfe.DefaultBasePath, RegistryBasePath: tfe.DefaultRegistryPath,
		Token: strings.TrimSpace(cfg.Token.Reveal()), Headers: headers, HTTPClient: c.transport.client(), RetryServerErrors: false,
	}
	if c.api, err = c.ping(ctx, config); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.http.CloseIdleConnections() }

// Certificates returns the certificates of the connection, which end.
func (c *Client) Certificates() []httpx.Certificate { return c.transport.http.Certificates() }

// IsCloud reports whether it is HCP Terraform.
func (c *Client) IsCloud() bool { return c.api.IsCloud() }

// Version is the release of a Terraform Enterprise; "" for HCP Terraform, and for
// releases that do not tell.
func (c *Client) Version() string {
	if v := c.api.RemoteTFENumericVersion(); v != "" {
		return v
	}
	return c.api.RemoteTFEVersion()
}

// Address is the URL without a slash at its end.
func (c *Client) Address() string { return c.address.String() }

// ping makes go-tfe's client, which asks once and looks at headers only.
func (c *Client) ping(ctx context.Context, config *tfe.Config) (*tfe.Client, error) {
	var made *tfe.Client
	err := c.do(ctx, request{op: "reaching", object: c.address.String(), idempotent: true}, func(ctx context.Context) error {
		defer c.transport.boot(ctx)()
		var err error
		made, err = tfe.NewClient(config)
		return err
	})
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		e.Hint = "it answers, but not as Terraform does: is the address right?"
	}
	return made, err
}

// checkAddress refuses a path, which go-tfe would drop in silence.
func checkAddress(address string) (*url.URL, error) {
	root, err := names.RootURL(address)
	if err != nil {
		return nil, fmt.Errorf("terraform: the address: %w", err)
	}
	return url.Parse(root)
}
