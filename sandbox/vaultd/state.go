package vaultd

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state is everything that is kept.
type state struct {
	Root     string            `json:"root_token"`
	Mounts   map[string]*mount `json:"mounts"` // by path without slashes at the ends
	Tokens   map[string]*token `json:"tokens"`
	Policies map[string]string `json:"policies"`
	Roles    map[string]*role  `json:"roles"` // of AppRole, by name
}

func emptyState() state {
	return state{
		Mounts: map[string]*mount{"secret": newMount(2)}, Tokens: map[string]*token{},
		Policies: map[string]string{}, Roles: map[string]*role{},
	}
}

const stateFile = "vault.json"

// Save writes everything into Options.Folder, secrets as they are: it is a
// sandbox. Without a folder it does nothing.
func (s *Server) Save() error {
	if s.folder == "" {
		return nil
	}
	s.mu.Lock()
	text, err := json.MarshalIndent(s.state, "", " ")
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("saving the sandbox's Vault: %w", err)
	}
	temp := filepath.Join(s.folder, stateFile+"."+rand.Text())
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return fmt.Errorf("saving the sandbox's Vault: %w", err)
	}
	if err := os.Rename(temp, filepath.Join(s.folder, stateFile)); err != nil {
		return fmt.Errorf("saving the sandbox's Vault: %w", errors.Join(err, os.Remove(temp)))
	}
	return nil
}

func (s *Server) load() error {
	if s.folder == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(s.folder, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("loading the sandbox's Vault: %w", err)
	}
	if err := json.Unmarshal(text, &s.state); err != nil {
		return fmt.Errorf("loading the sandbox's Vault: %s: %w", filepath.Join(s.folder, stateFile), err)
	}
	return nil
}

func uuid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
