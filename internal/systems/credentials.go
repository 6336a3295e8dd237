package systems

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// Credential fetches a password, a token or a webhook's address: what is one line.
func (s *Systems) Credential(ctx context.Context, ref schema.SecretRef) (secret.Text, error) {
	text, err := s.Secret(ctx, ref)
	if err != nil {
		return secret.Text{}, err
	}
	return s.oneLine(text, refName(ref))
}

// oneLine drops a credential's final line break, with a note, and refuses others.
func (s *Systems) oneLine(text secret.Text, place string) (secret.Text, error) {
	line, dropped, err := text.OneLine()
	switch {
	case err != nil:
		return secret.Text{}, fmt.Errorf("%s cannot be a password or token: %w; store it again without (printf %%s, vault kv put ... FIELD=-); no login was tried with it", place, err)
	case line.Empty():
		return secret.Text{}, fmt.Errorf("%s is empty", place)
	case dropped && s.env.Note != nil:
		s.env.Note(place + " ends in a line break, which was left out")
	}
	return line, nil
}

// Secret fetches what a reference names as it is stored: a private key has many
// lines.
func (s *Systems) Secret(ctx context.Context, ref schema.SecretRef) (secret.Text, error) {
	switch {
	case ref.Vault != "":
		return s.vault.Secret(ctx, ref.Vault)
	case ref.Env != "":
		return s.fromEnv(ref.Env)
	case ref.File != "":
		return s.fromFile(ref.File)
	}
	return secret.Text{}, errors.New("no place is given for the secret")
}

// credentialFromEnv is Credential of an environment variable.
func (s *Systems) credentialFromEnv(name string) (secret.Text, error) {
	return s.Credential(context.Background(), schema.SecretRef{Env: name})
}

func (s *Systems) fromEnv(name string) (secret.Text, error) {
	if value := s.env.Getenv(name); value != "" {
		return secret.New(value), nil
	}
	return secret.Text{}, fmt.Errorf("environment variable %s is not set", name)
}

func (s *Systems) fromFile(name string) (secret.Text, error) {
	body, err := os.ReadFile(s.path(name))
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(string(body)), nil
}

func refName(ref schema.SecretRef) string {
	switch {
	case ref.Vault != "":
		return "vault:" + ref.Vault
	case ref.Env != "":
		return "env:" + ref.Env
	case ref.File != "":
		return ref.File
	}
	return "credentials file"
}

// vaultConfig fills what the files leave out from the usual environment.
func (s *Systems) vaultConfig() (vault.Config, error) {
	v := s.fleet.Vault
	address, agent, err := vaultAddress(v, s.env.Getenv)
	if err != nil {
		return vault.Config{}, fmt.Errorf("vault: %w", err)
	}
	cfg := vault.Config{
		Address:   address,
		Namespace: VaultNamespace(v, s.env.Getenv),
		Mount:     v.Mount,
		Path:      v.Path,
		UserAgent: s.env.UserAgent,
	}
	if cfg.CA, err = s.readCA(firstOf(v.CAFile, s.env.Getenv("VAULT_CACERT"))); err != nil {
		return cfg, fmt.Errorf("vault: %w", err)
	}
	if cfg.Gateway, err = s.vaultGateway(v.Gateway); err != nil {
		return cfg, fmt.Errorf("vault: %w", err)
	}
	cfg.Auth, err = s.vaultAuth(v.Auth)
	if errors.Is(err, errNoToken) && agent {
		cfg.Auth, err = vault.Auth{Method: vault.MethodAgent}, nil // which adds its own
	}
	if err != nil {
		return cfg, fmt.Errorf("vault: logging in with %s: %w", firstOf(v.Auth.Method, vault.MethodToken), err)
	}
	return cfg, nil
}

// VaultNamespace returns the namespace that the configuration or the environment
// names, "" for none.
func VaultNamespace(v schema.Vault, getenv func(string) string) string {
	return firstOf(v.Namespace, getenv("VAULT_NAMESPACE"))
}

// VaultAddress returns where Vault is, or the Vault Agent or Proxy in front of it.
// What the environment says must satisfy what the configuration does.
func VaultAddress(v schema.Vault, getenv func(string) string) (string, error) {
	address, _, err := vaultAddress(v, getenv)
	return address, err
}

// vaultAddress also reports whether it is the address of an agent for certain. As
// for the vault command, VAULT_AGENT_ADDR goes before VAULT_ADDR.
func vaultAddress(v schema.Vault, getenv func(string) string) (address string, agent bool, err error) {
	if v.Address != "" {
		return v.Address, false, nil
	}
	for _, name := range []string{"VAULT_AGENT_ADDR", "VAULT_ADDR"} {
		given := getenv(name)
		if given == "" {
			continue
		}
		if address, err = names.VaultURL(given); err != nil {
			return "", false, fmt.Errorf("%s: %w; set it to https://host:port", name, err)
		}
		return address, name == "VAULT_AGENT_ADDR", nil
	}
	return "", false, errors.New("no address: set address in the vault block, or VAULT_ADDR")
}

func (s *Systems) vaultAuth(a schema.VaultAuth) (vault.Auth, error) {
	auth := vault.Auth{Method: a.Method, Mount: a.Mount, Role: a.Role, TokenFile: a.TokenFile, Wrapped: a.Wrapped, Username: a.Username}
	var err error
	switch a.Method {
	case vault.MethodToken, "":
		auth.Token, err = s.vaultToken(a)
	case vault.MethodAppRole:
		if auth.SecretID, err = s.credentialFromEnv(a.SecretIDEnv); err == nil {
			auth.RoleID = strings.TrimSpace(s.env.Getenv(a.RoleIDEnv))
			if auth.RoleID == "" {
				err = fmt.Errorf("environment variable %s is not set", a.RoleIDEnv)
			}
		}
	case vault.MethodJWT, vault.MethodKubernetes:
		if a.TokenEnv != "" {
			auth.JWT, err = s.credentialFromEnv(a.TokenEnv)
		}
	case vault.MethodUserpass:
		auth.Password, err = s.credentialFromEnv(a.PasswordEnv)
	}
	return auth, err
}

var errNoToken = errors.New(`no token: set VAULT_TOKEN, run vault login, or give the vault block an auth block (auth "agent" {} behind a Vault Agent or Proxy that adds its token)`)

// vaultToken looks where the vault command looks: the environment, then the
// file that `vault login` writes.
func (s *Systems) vaultToken(a schema.VaultAuth) (secret.Text, error) {
	if a.TokenEnv != "" {
		return s.credentialFromEnv(a.TokenEnv)
	}
	if s.env.Getenv("VAULT_TOKEN") != "" {
		return s.credentialFromEnv("VAULT_TOKEN")
	}
	file := firstOf(a.TokenFile, filepath.Join(s.env.Home, ".vault-token"))
	body, err := os.ReadFile(file)
	if err != nil {
		return secret.Text{}, errNoToken
	}
	return secret.New(strings.TrimSpace(string(body))), nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
