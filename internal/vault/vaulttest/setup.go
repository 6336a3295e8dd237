package vaulttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
)

// KV2 mounts an empty KV version 2 for the test and returns the mount's name.
func (s *Server) KV2(t testing.TB) string {
	t.Helper()
	mount := s.mount(t, &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}})
	deadline := time.Now().Add(startWithin)
	for {
		err := kvReady(t.Context(), s.Root, mount)
		if err == nil {
			return mount
		}
		if time.Now().After(deadline) {
			t.Fatalf("preparing Vault: mount %s did not become ready: %v", mount, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// KV1 mounts a KV version 1, the kind that ignores check-and-set without a word.
func (s *Server) KV1(t testing.TB) string {
	t.Helper()
	return s.mount(t, &api.MountInput{Type: "kv", Options: map[string]string{"version": "1"}})
}

func (s *Server) mount(t testing.TB, input *api.MountInput) string {
	t.Helper()
	name := unique("kv")
	if err := s.Root.Sys().MountWithContext(t.Context(), name, input); err != nil {
		t.Fatalf("preparing Vault: mount %s: %v", name, err)
	}
	t.Cleanup(func() { s.tidy(t, s.Root.Sys().UnmountWithContext(context.Background(), name)) })
	return name
}

// tidy reports what went wrong in a clean-up, unless the test sealed the server
// or otherwise put it out of reach: its end is then the clean-up.
func (s *Server) tidy(t testing.TB, err error) {
	t.Helper()
	var refused *api.ResponseError
	if errors.As(err, &refused) && refused.StatusCode >= 500 {
		return
	}
	if err != nil {
		t.Errorf("cleaning up in Vault: %v", err)
	}
}

// Policy writes a policy and returns its name.
func (s *Server) Policy(t testing.TB, rules string) string {
	t.Helper()
	name := unique("policy")
	if err := s.Root.Sys().PutPolicyWithContext(t.Context(), name, rules); err != nil {
		t.Fatalf("preparing Vault: policy %s: %v", name, err)
	}
	return name
}

// A Token says what a new token may do and for how long. Zero is the server's default.
type Token struct {
	Policies []string      // beside "default", unless WithoutDefault
	TTL      time.Duration // until it expires or is renewed
	MaxTTL   time.Duration // until it expires, however often it is renewed
	Uses     int           // requests before it expires
	Fixed    bool          // cannot be renewed

	// WithoutDefault leaves the policy "default" out, which is what lets a token
	// look itself up and renew itself.
	WithoutDefault bool
}

// Token makes a token and returns it.
func (s *Server) Token(t testing.TB, want Token) string {
	t.Helper()
	renewable := !want.Fixed
	request := &api.TokenCreateRequest{
		Policies: want.Policies, NumUses: want.Uses, Renewable: &renewable, NoDefaultPolicy: want.WithoutDefault,
	}
	if want.TTL > 0 {
		request.TTL = want.TTL.String()
	}
	if want.MaxTTL > 0 {
		request.ExplicitMaxTTL = want.MaxTTL.String()
	}
	if len(want.Policies) == 0 {
		request.Policies = []string{"default"} // none would mean the creator's: root
	}
	secret, err := s.Root.Auth().Token().CreateWithContext(t.Context(), request)
	if err != nil {
		t.Fatalf("preparing Vault: create a token: %v", err)
	}
	return secret.Auth.ClientToken
}

// Revoke ends a token now, as if it had expired.
func (s *Server) Revoke(t testing.TB, token string) {
	t.Helper()
	if err := s.Root.Auth().Token().RevokeTreeWithContext(t.Context(), token); err != nil {
		t.Fatalf("revoke a token: %v", err)
	}
}

// LimitRate lets one request per interval through to a path, such as "kv-x/" for
// a mount, until the test ends; the others are answered with 429.
func (s *Server) LimitRate(t testing.TB, path string, requests int, interval time.Duration) {
	t.Helper()
	quota := "sys/quotas/rate-limit/" + unique("quota")
	s.write(t, quota, map[string]any{"path": path, "rate": requests, "interval": interval.String()})
	t.Cleanup(func() {
		_, err := s.Root.Logical().DeleteWithContext(context.Background(), quota)
		s.tidy(t, err)
	})
}

// Seal seals the server: every request is answered with 503 until Unseal. Only for
// a server of the test's own.
func (s *Server) Seal(t testing.TB) {
	t.Helper()
	if err := s.Root.Sys().SealWithContext(t.Context()); err != nil {
		t.Fatalf("seal Vault: %v", err)
	}
}

// Unseal ends what Seal began and returns when the server works again.
func (s *Server) Unseal(t testing.TB) {
	t.Helper()
	if _, err := s.Root.Sys().UnsealWithContext(t.Context(), s.unsealKey); err != nil {
		t.Fatalf("unseal Vault: %v", err)
	}
	s.untilActive(t)
}

func (s *Server) untilActive(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	for {
		err := s.answers(ctx)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("Vault did not become active: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
