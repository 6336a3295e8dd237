package vaulttest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
)

const anything = `path "sys/mounts" { capabilities = ["read"] }`

// login writes to a login path and expects a status; 200 comes with a policy.
func login(t *testing.T, server *vaulttest.Server, path string, data map[string]any, want int, policy string) {
	t.Helper()
	secret, err := server.Client(t, "").Logical().WriteWithContext(t.Context(), path, data)
	if err != nil {
		if have := status(t, err); have != want {
			t.Errorf("have %d from %s, want %d: %v", have, path, want, err)
		}
		return
	}
	if want != http.StatusOK {
		t.Fatalf("have a login at %s, want %d", path, want)
	}
	hasPolicy(t, server, secret, policy)
}

func hasPolicy(t *testing.T, server *vaulttest.Server, secret *api.Secret, want string) {
	t.Helper()
	self, err := server.Client(t, secret.Auth.ClientToken).Auth().Token().LookupSelf()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := self.TokenPolicies()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(policies, want) {
		t.Errorf("have policies %v, want %s among them", policies, want)
	}
}

func TestAppRole(t *testing.T) {
	server := vaulttest.Shared(t)
	policy := server.Policy(t, anything)
	role := server.AppRole(t, vaulttest.Login{Policies: []string{policy}, TTL: time.Minute, MaxTTL: time.Hour})
	path := "auth/" + role.Mount + "/login"
	login(t, server, path, map[string]any{"role_id": role.RoleID, "secret_id": role.SecretID}, http.StatusOK, policy)
	login(t, server, path, map[string]any{"role_id": role.RoleID, "secret_id": "wrong"}, http.StatusBadRequest, "")

	unwrapped, err := server.Client(t, "").Logical().Unwrap(role.WrappedSecretID(t))
	if err != nil {
		t.Fatal(err)
	}
	login(t, server, path, map[string]any{"role_id": role.RoleID, "secret_id": unwrapped.Data["secret_id"]}, http.StatusOK, policy)
}

func TestUserpass(t *testing.T) {
	server := vaulttest.Shared(t)
	policy := server.Policy(t, anything)
	user := server.Userpass(t, vaulttest.Login{Policies: []string{policy}})
	path := "auth/" + user.Mount + "/login/" + user.Username
	login(t, server, path, map[string]any{"password": user.Password}, http.StatusOK, policy)
	login(t, server, path, map[string]any{"password": "wrong"}, http.StatusBadRequest, "")
}

func TestJWT(t *testing.T) {
	server := vaulttest.Shared(t)
	policy := server.Policy(t, anything)
	role, issuer := server.JWT(t, vaulttest.Login{Policies: []string{policy}})
	_, stranger := server.JWT(t, vaulttest.Login{})
	path := "auth/" + role.Mount + "/login"
	for _, test := range []struct {
		name, token string
		want        int
	}{
		{"good", issuer.Sign(t, "ci", role.Audience, time.Minute), http.StatusOK},
		{"other audience", issuer.Sign(t, "ci", "elsewhere", time.Minute), http.StatusBadRequest},
		{"expired", issuer.Sign(t, "ci", role.Audience, -30*time.Minute), http.StatusBadRequest},
		{"other issuer", stranger.Sign(t, "ci", role.Audience, time.Minute), http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			login(t, server, path, map[string]any{"role": role.Role, "jwt": test.token}, test.want, policy)
		})
	}
}

func TestKubernetes(t *testing.T) {
	server := vaulttest.Shared(t)
	policy := server.Policy(t, anything)
	role := server.Kubernetes(t, vaulttest.Login{Policies: []string{policy}})
	other := server.Kubernetes(t, vaulttest.Login{})
	path := "auth/" + role.Mount + "/login"
	login(t, server, path, map[string]any{"role": role.Role, "jwt": role.ServiceToken}, http.StatusOK, policy)
	login(t, server, path, map[string]any{"role": role.Role, "jwt": other.ServiceToken}, http.StatusForbidden, "")
}
