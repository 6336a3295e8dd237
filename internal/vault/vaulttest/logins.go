package vaulttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/vault/api"
)

// A Login says what a token that comes from a login may do and for how long.
// Zero is the server's default.
type Login struct {
	Policies []string
	TTL      time.Duration
	MaxTTL   time.Duration
}

// fields are the ones that every method's role has.
func (l Login) fields() map[string]any {
	return map[string]any{
		"token_policies": l.Policies,
		"token_ttl":      int(l.TTL.Seconds()),
		"token_max_ttl":  int(l.MaxTTL.Seconds()),
	}
}

func (l Login) with(more map[string]any) map[string]any {
	all := l.fields()
	maps.Copy(all, more)
	return all
}

// enable turns a login method on at a path of its own.
func (s *Server) enable(t testing.TB, method, pluginName string) string {
	t.Helper()
	mount := unique(method)
	err := s.Root.Sys().EnableAuthWithOptionsWithContext(t.Context(), mount, &api.EnableAuthOptions{Type: pluginName})
	if err != nil {
		t.Fatalf("preparing Vault: enable %s login: %v", method, err)
	}
	t.Cleanup(func() { s.tidy(t, s.Root.Sys().DisableAuthWithContext(context.Background(), mount)) })
	return mount
}

// An AppRole is a role to log in as, at the mount auth/<Mount>.
type AppRole struct {
	Mount, Role, RoleID, SecretID string

	server *Server
}

// AppRole makes a role with a secret id.
func (s *Server) AppRole(t testing.TB, want Login) AppRole {
	t.Helper()
	role := AppRole{Mount: s.enable(t, "approle", "approle"), Role: "bbsync", server: s}
	path := role.path()
	s.write(t, path, want.fields())
	id, err := s.Root.Logical().ReadWithContext(t.Context(), path+"/role-id")
	if err != nil {
		t.Fatalf("preparing Vault: read %s/role-id: %v", path, err)
	}
	role.RoleID, _ = id.Data["role_id"].(string)
	role.SecretID, _ = s.write(t, path+"/secret-id", nil).Data["secret_id"].(string)
	return role
}

// WrappedSecretID returns a token that can be exchanged once for a new secret id.
func (r AppRole) WrappedSecretID(t testing.TB) string {
	t.Helper()
	client := r.server.Client(t, r.server.RootToken)
	client.SetWrappingLookupFunc(func(_, _ string) string { return "1m" })
	secret, err := client.Logical().WriteWithContext(t.Context(), r.path()+"/secret-id", nil)
	if err != nil {
		t.Fatalf("preparing Vault: wrap a secret id: %v", err)
	}
	return secret.WrapInfo.Token
}

func (r AppRole) path() string { return "auth/" + r.Mount + "/role/" + r.Role }

// A Userpass is a user to log in as, at the mount auth/<Mount>.
type Userpass struct{ Mount, Username, Password string }

// Userpass makes a user with a password.
func (s *Server) Userpass(t testing.TB, want Login) Userpass {
	t.Helper()
	user := Userpass{Mount: s.enable(t, "userpass", "userpass"), Username: "bbsync", Password: rand.Text()}
	s.write(t, "auth/"+user.Mount+"/users/"+user.Username, want.with(map[string]any{"password": user.Password}))
	return user
}

// A JWT is a role that Vault gives to the bearer of a token signed by an issuer
// that it knows by public key only: no identity provider is asked.
type JWT struct{ Mount, Role, Audience string }

// JWT makes a role, and the issuer whose tokens it takes.
func (s *Server) JWT(t testing.TB, want Login) (JWT, Issuer) {
	t.Helper()
	issuer := newIssuer(t)
	role := JWT{Mount: s.enable(t, "jwt", "jwt"), Role: "bbsync", Audience: "vault.example"}
	s.write(t, "auth/"+role.Mount+"/config", map[string]any{"jwt_validation_pubkeys": issuer.publicKey(t)})
	s.write(t, "auth/"+role.Mount+"/role/"+role.Role, want.with(map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": []string{role.Audience},
	}))
	return role, issuer
}

// An Issuer signs tokens.
type Issuer struct{ key *ecdsa.PrivateKey }

func newIssuer(t testing.TB) Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Issuer{key}
}

func (i Issuer) publicKey(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(i.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Sign returns a token for a subject and an audience, valid for as long as told,
// which is negative for one that has expired.
func (i Issuer) Sign(t testing.TB, subject, audience string, valid time.Duration) string {
	t.Helper()
	now := time.Now()
	return i.sign(t, jwt.Claims{
		Issuer: "vaulttest", Subject: subject, Audience: jwt.Audience{audience},
		IssuedAt: jwt.NewNumericDate(now.Add(-time.Hour)), Expiry: jwt.NewNumericDate(now.Add(valid)),
	})
}

func (i Issuer) sign(t testing.TB, claims ...any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	builder := jwt.Signed(signer)
	for _, claim := range claims {
		builder = builder.Claims(claim)
	}
	token, err := builder.Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
