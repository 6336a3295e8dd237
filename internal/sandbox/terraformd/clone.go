package terraformd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// errEmpty is what the real server's user interface says of a repository without
// commits.
var errEmpty = errors.New("branch isn't ingressable: the repository is empty or being created")

// clone fetches the repository with the key that the connection holds and returns
// the commit it arrived at. Git does the work; the SSH connection is made here, so
// that the key need not be written to a file for another program.
func (s *Server) clone(ctx context.Context, conn connection, r repo) (string, error) {
	at, err := parseRemote(r.CloneURL)
	if err != nil {
		return "", err
	}
	client, err := s.dial(ctx, at, conn.sshKey)
	if err != nil {
		return "", err
	}
	defer client.Close() //nolint:errcheck // nothing was written that could be lost
	folder, err := os.MkdirTemp("", "bbsync-sandbox-clone-")
	if err != nil {
		return "", fmt.Errorf("making a folder for the clone: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // the system's own temporary folder
	var problem bytes.Buffer
	session, in, out, err := uploadPack(client, at.path, &problem)
	if err != nil {
		return "", err
	}
	target := filepath.Join(folder, "clone")
	err = gitClone(ctx, in, out, r.Branch, target)
	_ = session.Close()
	_ = session.Wait() // its stderr is complete
	if said := strings.TrimSpace(problem.String()); err != nil && said != "" {
		return "", fmt.Errorf("%w: %s", err, said)
	}
	if err != nil {
		return "", err
	}
	head, err := git(ctx, target, "rev-parse", "--verify", "HEAD").Output()
	if err != nil {
		return "", errEmpty
	}
	return strings.TrimSpace(string(head)), nil
}

// git is git without the configuration of whoever runs the sandbox.
func git(ctx context.Context, folder string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the arguments are the sandbox's own
	command.Dir = folder
	command.Env = append(command.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	return command
}

// gitClone lets git speak through two pipes with an upload-pack that is already
// running (git-remote-fd).
func gitClone(ctx context.Context, in io.WriteCloser, out io.Reader, branch, target string) error {
	fromRemote, feed, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	drain, toRemote, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("making a pipe: %w", err), fromRemote.Close(), feed.Close())
	}
	args := []string{"clone", "--quiet", "--depth=1", "--no-checkout"}
	if branch != "" {
		args = append(args, "--branch="+branch)
	}
	command := git(ctx, filepath.Dir(target), append(args, "fd::3,4", target)...)
	command.ExtraFiles = []*os.File{fromRemote, toRemote}
	var said bytes.Buffer
	command.Stderr = &said
	err = command.Start()
	_, _ = fromRemote.Close(), toRemote.Close() // the child has its own
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(feed, out)
		_ = feed.Close()
		close(done)
	}()
	sent := make(chan struct{})
	go func() {
		_, _ = io.Copy(in, drain)
		_ = in.Close()
		close(sent)
	}()
	if err == nil {
		err = command.Wait()
	}
	_ = drain.Close() // the child is gone; this ends the copying to the remote
	<-sent
	_ = feed.Close()
	<-done
	if err != nil {
		return fmt.Errorf("git clone: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}
