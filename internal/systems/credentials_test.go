package systems

import (
	"errors"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// openWith opens a system with a credential in an environment variable and returns
// the notes and the error. No test here reaches a server: a login that would count
// as a wrong one must not be tried.
func openWith(value string, open func(*Systems) error) ([]string, error) {
	var notes []string
	s := New(&schema.Fleet{
		Bitbuckets: []*schema.Bitbucket{{
			Label: "corp", URL: "https://bitbucket.invalid",
			Admin: schema.Admin{Username: "admin", Password: &schema.SecretRef{Env: "BB_PW"}},
		}},
	}, Env{
		Getenv: func(string) string { return value },
		Note:   func(text string) { notes = append(notes, text) },
	})
	return notes, open(s)
}

// A line break at the end of a credential, as echo and mounted files leave it, is
// left out. Any other stops before the first login and names the place.
func TestCredentialLineBreaks(t *testing.T) {
	bitbucket := func(s *Systems) error {
		_, err := s.Bitbucket(t.Context(), "corp")
		return err
	}
	auth := func(a schema.VaultAuth) func(*Systems) error {
		return func(s *Systems) error {
			_, err := s.vaultAuth(a)
			return err
		}
	}
	for name, c := range map[string]struct {
		place string
		open  func(*Systems) error
	}{
		"Bitbucket's password": {"env:BB_PW", bitbucket},
		"Terraform's token": {"env:TOKEN", func(s *Systems) error {
			_, err := s.terraformToken(t.Context(), &schema.Terraform{}, schema.SecretRef{Env: "TOKEN"})
			return err
		}},
		"TF_TOKEN": {"env:TF_TOKEN_app_terraform_io", func(s *Systems) error {
			_, err := s.terraformToken(t.Context(), &schema.Terraform{Address: "https://app.terraform.io"}, schema.SecretRef{})
			return err
		}},
		"VAULT_TOKEN":   {"env:VAULT_TOKEN", auth(schema.VaultAuth{})},
		"token_env":     {"env:T", auth(schema.VaultAuth{TokenEnv: "T"})},
		"AppRole":       {"env:S", auth(schema.VaultAuth{Method: vault.MethodAppRole, SecretIDEnv: "S", RoleIDEnv: "R"})},
		"JWT":           {"env:J", auth(schema.VaultAuth{Method: vault.MethodJWT, TokenEnv: "J"})},
		"userpass":      {"env:P", auth(schema.VaultAuth{Method: vault.MethodUserpass, PasswordEnv: "P"})},
		"any reference": {"env:X", func(s *Systems) error { _, err := s.Credential(t.Context(), schema.SecretRef{Env: "X"}); return err }},
	} {
		for value, want := range map[string]struct{ notes, fails bool }{
			"p w":      {},
			"pw\n":     {notes: true},
			"pw\r\n":   {notes: true},
			"pw\n\n":   {fails: true},
			"p\nw":     {fails: true},
			"p\rw":     {fails: true},
			"\npw":     {fails: true},
			"pw\r\n\n": {fails: true},
		} {
			notes, err := openWith(value, c.open)
			switch {
			case want.fails && (!errors.Is(err, secret.ErrLineBreak) || !strings.Contains(err.Error(), c.place)):
				t.Errorf("%s %q: error %v", name, value, err)
			case !want.fails && err != nil:
				t.Errorf("%s %q: %v", name, value, err)
			case want.notes != (len(notes) == 1 && strings.HasPrefix(notes[0], c.place)):
				t.Errorf("%s %q: notes %q", name, value, notes)
			}
		}
	}
}

// A private key keeps its lines.
func TestSecretKeepsLines(t *testing.T) {
	notes, err := openWith("-----BEGIN\nx\n-----END\n", func(s *Systems) error {
		text, err := s.Secret(t.Context(), schema.SecretRef{Env: "KEY"})
		if !text.Equal(secret.New("-----BEGIN\nx\n-----END\n")) {
			t.Error("the key was changed")
		}
		return err
	})
	if err != nil || notes != nil {
		t.Error(notes, err)
	}
}

func TestEmptyCredential(t *testing.T) {
	if _, err := openWith("\n", func(s *Systems) error {
		_, err := s.Credential(t.Context(), schema.SecretRef{Env: "X"})
		return err
	}); err == nil || !strings.Contains(err.Error(), "env:X is empty") {
		t.Errorf("error %v", err)
	}
}
