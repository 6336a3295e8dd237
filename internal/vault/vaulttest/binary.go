package vaulttest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

var vaultVersion = regexp.MustCompile(`(?m)^\s*(?:require )?github\.com/hashicorp/vault v(\S+)$`)

// binaryPath returns the server that "make vault" built. A missing one is an
// error and no reason to skip: a test that did not run has not passed.
func binaryPath() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	gomod, err := os.ReadFile(filepath.Join(root, "tools", "vault", "go.mod"))
	if err != nil {
		return "", err
	}
	version := vaultVersion.FindSubmatch(gomod)
	if version == nil {
		return "", errors.New("tools/vault/go.mod does not require github.com/hashicorp/vault")
	}
	binary := filepath.Join(root, ".cache", "vault", "vault-"+string(version[1]))
	found, err := filepath.EvalSymlinks(binary) // Vault runs plug-ins from a real folder only
	if err != nil {
		return "", fmt.Errorf("the tests need a real Vault server: run make vault (%w)", err)
	}
	return found, nil
}

// repository returns the folder of bbsync's go.mod: tests run in their package's folder.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "tools", "vault", "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no tools/vault/go.mod in the working directory or above it: run the tests inside the repository")
		}
		dir = parent
	}
}
