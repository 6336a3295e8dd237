package terraformd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bbsync/bbsync/sandbox/gitssh"
)

// errNoBranch is in substance what the real server's user interface says of a
// repository without commits.
var errNoBranch = errors.New("branch isn't ingressable: it does not exist, or the repository is empty")

// clone fetches the repository with the key that the connection holds and returns
// the commit it arrived at.
func (s *Server) clone(ctx context.Context, conn connection, r repo) (string, error) {
	at, err := parseRemote(r.CloneURL)
	if err != nil {
		return "", err
	}
	client, err := s.dial(ctx, at, conn.sshKey)
	if err != nil {
		return "", err
	}
	defer client.Close()
	folder, err := os.MkdirTemp("", "bbsync-sandbox-clone-")
	if err != nil {
		return "", fmt.Errorf("making a folder for the clone: %w", err)
	}
	defer os.RemoveAll(folder)
	target := filepath.Join(folder, "clone")
	if err := gitssh.Clone(ctx, client, at.path, target); err != nil {
		return "", err
	}
	revision := "HEAD"
	if r.Branch != "" {
		revision = "refs/remotes/origin/" + r.Branch
	}
	// The configuration of whoever runs the sandbox is none of its business.
	git := exec.CommandContext(ctx, "git", "rev-parse", "--verify", "--quiet", revision)
	git.Dir = target
	git.Env = append(git.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "LC_ALL=C")
	commit, err := git.Output()
	if err != nil {
		return "", errNoBranch
	}
	return strings.TrimSpace(string(commit)), nil
}
