package vault_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/internal/vault/vaulttest"
)

// about reports whether a time is the wanted one, give or take what a test takes.
func about(have, want time.Time) bool { return have.Sub(want).Abs() < time.Minute }

// The secret id of a login says when it ends, if the policy lets it be asked.
func TestSecretIDInfo(t *testing.T) {
	t.Parallel()
	server := vaulttest.Shared(t)
	kv := server.KV2(t)
	for name, c := range map[string]struct {
		rules string
		want  error
	}{
		"with the line":    {`path "auth/+/role/+/secret-id/lookup" { capabilities = ["update"] }`, nil},
		"without the line": {``, vault.ErrForbidden},
	} {
		rules := `path "` + kv + `/data/bbsync/*" { capabilities = ["read"] }` + "\n" + c.rules
		role := server.AppRole(t, vaulttest.Login{Policies: []string{server.Policy(t, rules)}})
		made, err := server.Root.Logical().WriteWithContext(t.Context(), "auth/"+role.Mount+"/role/"+role.Role+"/secret-id", map[string]any{"ttl": "48h", "num_uses": 9})
		if err != nil {
			t.Fatal(err)
		}
		client, err := vault.Login(t.Context(), vault.Config{
			Address: server.Address, Mount: kv,
			Auth: vault.Auth{Method: vault.MethodAppRole, Mount: role.Mount, RoleID: role.RoleID, SecretID: secret.New(made.Data["secret_id"].(string))},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		token, err := client.TokenInfo(t.Context())
		if err != nil || !token.Login || token.Role != role.Role {
			t.Errorf("%s: token %+v, %v", name, token, err)
		}
		info, err := client.SecretIDInfo(t.Context(), token.Role)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == nil && (!about(info.Expires, time.Now().Add(48*time.Hour)) || info.Uses != 8) {
			t.Errorf("%s: %+v", name, info)
		}
	}
}

// A token's end is its last one: of a renewable token with a maximum, the maximum.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		for name, c := range map[string]struct {
			ask  api.TokenCreateRequest
			want time.Duration
		}{
			"renewed":            {api.TokenCreateRequest{TTL: "2h"}, 2 * time.Hour},
			"with a maximum":     {api.TokenCreateRequest{TTL: "2h", ExplicitMaxTTL: "5h"}, 5 * time.Hour},
			"cannot be extended": {api.TokenCreateRequest{TTL: "3h", Renewable: new(false)}, 3 * time.Hour},
		} {
			cfg := b.config()
			cfg.Auth = vault.Auth{Token: secret.New(b.token(t, `path "KV/data/bbsync/*" { capabilities = ["read"] }`, c.ask))}
			info, err := b.loginAs(t, cfg).TokenInfo(t.Context())
			if err != nil || !about(info.Expires, time.Now().Add(c.want)) || !about(info.Created, time.Now()) || info.Login {
				t.Errorf("%s: %+v, %v", name, info, err)
			}
		}
		if info, err := b.login(t).TokenInfo(t.Context()); err != nil || !info.Expires.IsZero() {
			t.Errorf("root: %+v, %v", info, err)
		}
	})
}
