// Package systems opens the clients that a fleet names, each with its
// credential: one per Bitbucket, one per Terraform credential, one Vault. It
// fetches secrets and hands them over; it asks the systems nothing else.
package systems

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/limit"
	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/tfe"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// Env is what is taken from the process: its environment and its user's home.
type Env struct {
	Getenv    func(string) string
	Home      string // where .vault-token and .terraform.d are; "" for none
	Dir       string // what relative files in the configuration are relative to
	UserAgent string
	Note      func(string) // takes what its user should know; nil: nobody does
}

// Systems are the open clients of a fleet. A client is opened when it is first
// asked for, once; one that cannot be opened fails its own connections only.
type Systems struct {
	fleet *schema.Fleet
	env   Env
	vault *vault.Client
	own   map[organizationKey]*schema.SecretRef // organizations with a token of their own

	mu         sync.Mutex
	terraforms map[terraformKey]*opened[*tfe.Client]
	bitbuckets map[string]*opened[*bitbucket.Client]
	limiters   map[string]*limit.Limiter
}

// terraformKey is one credential on one host.
type terraformKey struct{ Label, Credential string }

// An organizationKey is one organization on one host.
type organizationKey struct{ Label, Name string } // Name: names.OrganizationKey

type opened[T any] struct {
	once   sync.Once
	client T
	err    error
}

// Fleet returns the fleet whose systems these are.
func (s *Systems) Fleet() *schema.Fleet { return s.fleet }

// New opens nothing. Everything except Look needs Login first. Terraform and Bitbucket
// are opened when they are first asked for.
func New(fleet *schema.Fleet, env Env) *Systems {
	return &Systems{
		fleet: fleet, env: env, own: ownTokens(fleet),
		terraforms: map[terraformKey]*opened[*tfe.Client]{},
		bitbuckets: map[string]*opened[*bitbucket.Client]{},
		limiters:   map[string]*limit.Limiter{},
	}
}

// Login logs in to Vault.
func (s *Systems) Login(ctx context.Context) error {
	cfg, err := s.vaultConfig()
	if err != nil {
		return err
	}
	s.vault, err = vault.Login(ctx, cfg)
	if errors.Is(err, vault.ErrUnavailable) {
		return s.withUnusedVariables(err)
	}
	return err
}

// Close ends the logins to the Bitbuckets and to Vault, where there are any.
func (s *Systems) Close() {
	s.closeBitbuckets()
	if s.vault != nil {
		s.vault.Close()
	}
}

// closeBitbuckets closes the clients that were opened, side by side: each may wait
// for its server.
func (s *Systems) closeBitbuckets() {
	s.mu.Lock()
	entries := slices.Collect(maps.Values(s.bitbuckets))
	s.mu.Unlock()
	var group sync.WaitGroup
	for _, entry := range entries {
		group.Go(func() {
			entry.once.Do(func() {}) // waits for one that is being opened
			if entry.client != nil {
				entry.client.Close()
			}
		})
	}
	group.Wait()
}

// Vault returns the open Vault.
func (s *Systems) Vault() *vault.Client { return s.vault }

// Terraform returns the client for an organization on the terraform block with
// this label.
func (s *Systems) Terraform(ctx context.Context, label, organization string) (*tfe.Client, error) {
	block := find(s.fleet.Terraforms, func(t *schema.Terraform) bool { return t.Label == label })
	if block == nil {
		return nil, fmt.Errorf("terraform.%s is not in the configuration", label)
	}
	ref, _ := s.tokenRef(block, organization)
	entry := lookup(s, s.terraforms, terraformKey{label, refName(ref)})
	entry.once.Do(func() { entry.client, entry.err = s.openTerraform(ctx, block, ref) })
	return entry.client, entry.err
}

// tokenRef returns where the token for an organization is kept, and whether it is the
// organization's own.
func (s *Systems) tokenRef(block *schema.Terraform, organization string) (ref schema.SecretRef, own bool) {
	if ref := s.own[organizationKey{block.Label, names.OrganizationKey(organization)}]; ref != nil {
		return *ref, true
	}
	return block.Token, false
}

// Bitbucket returns the client of the bitbucket block with this label.
func (s *Systems) Bitbucket(ctx context.Context, label string) (*bitbucket.Client, error) {
	block := find(s.fleet.Bitbuckets, func(b *schema.Bitbucket) bool { return b.Label == label })
	if block == nil {
		return nil, fmt.Errorf("bitbucket.%s is not in the configuration", label)
	}
	entry := lookup(s, s.bitbuckets, label)
	entry.once.Do(func() { entry.client, entry.err = s.openBitbucket(ctx, block) })
	return entry.client, entry.err
}

func (s *Systems) openTerraform(ctx context.Context, block *schema.Terraform, ref schema.SecretRef) (*tfe.Client, error) {
	token, err := s.terraformToken(ctx, block, ref)
	if err != nil {
		return nil, fmt.Errorf("terraform.%s: %w", block.Label, err)
	}
	return s.terraformClient(ctx, block, token, s.limiter(block.Address+" "+refName(ref), block.RateLimit))
}

func (s *Systems) terraformClient(ctx context.Context, block *schema.Terraform, token secret.Text, limiter *limit.Limiter) (*tfe.Client, error) {
	ca, err := s.readCA(block.CAFile)
	if err != nil {
		return nil, fmt.Errorf("terraform.%s: %w", block.Label, err)
	}
	gateway, err := s.gateway(ctx, block.Gateway)
	if err != nil {
		return nil, fmt.Errorf("terraform.%s: %w", block.Label, err)
	}
	client, err := tfe.New(ctx, tfe.Config{
		Address: block.Address, Token: token, CA: ca, Gateway: gateway, UserAgent: s.env.UserAgent, Limiter: limiter,
	})
	if err != nil {
		return nil, fmt.Errorf("terraform.%s: %w", block.Label, err)
	}
	return client, nil
}

// limiter returns the limiter of a credential; two blocks that use one
// credential share it, as the server counts them together.
func (s *Systems) limiter(credential string, perSecond float64) *limit.Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.limiters[credential]; ok {
		return l
	}
	l := limit.New(limit.Options{Rate: limit.Rate{PerSecond: perSecond}, Fixed: perSecond > 0, OnPause: func(d time.Duration) {
		server, _, _ := strings.Cut(credential, " ")
		s.note(fmt.Sprintf("%s refuses more requests: waiting %s, as it asks (--timeout limits the whole run)", server, d.Round(time.Second)))
	}})
	s.limiters[credential] = l
	return l
}

func (s *Systems) note(text string) {
	if s.env.Note != nil {
		s.env.Note(text)
	}
}

// Figures returns what each credential's limiter did, by address and name of
// the credential.
func (s *Systems) Figures() map[string]limit.Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]limit.Figures, len(s.limiters))
	for name, l := range s.limiters {
		out[name] = l.Figures()
	}
	return out
}

// ownTokens indexes the organizations with a token of their own; of several
// connections of one organization the first that names one decides.
func ownTokens(fleet *schema.Fleet) map[organizationKey]*schema.SecretRef {
	own := map[organizationKey]*schema.SecretRef{}
	for _, c := range fleet.Connections {
		key := organizationKey{c.Terraform.Label, names.OrganizationKey(c.Organization)}
		if c.Token != nil && own[key] == nil {
			own[key] = c.Token
		}
	}
	return own
}

func (s *Systems) readCA(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(s.path(file))
	if err != nil {
		return nil, fmt.Errorf("reading ca_file: %w", err)
	}
	return pem, nil
}

func (s *Systems) path(file string) string {
	if s.env.Dir == "" || strings.HasPrefix(file, "/") {
		return file
	}
	return s.env.Dir + "/" + file
}

func lookup[K comparable, T any](s *Systems, in map[K]*opened[T], key K) *opened[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry, ok := in[key]
	if !ok {
		entry = &opened[T]{}
		in[key] = entry
	}
	return entry
}

func find[T any](in []*T, is func(*T) bool) *T {
	for _, x := range in {
		if is(x) {
			return x
		}
	}
	return nil
}
