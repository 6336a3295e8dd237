// Package gitssh runs git over an SSH connection that Go has made, so that a clone
// needs neither an ssh program nor a private key in a file.
//
// It does not connect, authenticate or check host keys: that is the caller's.
package gitssh

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Clone clones the repository at repoPath (as in "/project/repo.git") of the server
// that client is connected to into dir, which must be empty or missing.
// What the server says when it refuses is in the error.
func Clone(ctx context.Context, client *ssh.Client, repoPath, dir string) error {
	session, err := client.NewSession()
	if err != nil {
		return fmt.Errorf("clone of %s: ssh session: %w", repoPath, err)
	}
	defer func() { _ = session.Close() }()
	// A server that says nothing more must not outlive the caller's patience.
	defer context.AfterFunc(ctx, func() { _ = session.Close() })()
	toServer, err := session.StdinPipe()
	if err != nil {
		return fmt.Errorf("clone of %s: %w", repoPath, err)
	}
	fromServer, err := session.StdoutPipe()
	if err != nil {
		return fmt.Errorf("clone of %s: %w", repoPath, err)
	}
	var refusal bytes.Buffer
	session.Stderr = &refusal
	if err := session.Start("git-upload-pack '" + strings.ReplaceAll(repoPath, "'", `'\''`) + "'"); err != nil {
		return fmt.Errorf("clone of %s: %w", repoPath, err)
	}
	out, err := run(ctx, fromServer, toServer, dir)
	_ = session.Close()
	_ = session.Wait() // its error says only that the session was closed; fills refusal
	if err != nil {
		return fmt.Errorf("clone of %s: %w: %s", repoPath, err, strings.TrimSpace(refusal.String()+" "+out))
	}
	return nil
}

// run lets git speak to the server through two pipes that it inherits as file
// descriptors 3 and 4 (git's "fd" remote helper).
func run(ctx context.Context, fromServer io.Reader, toServer io.WriteCloser, dir string) (out string, err error) {
	in, inWrite, err := os.Pipe()
	if err != nil {
		return "", err
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		_, _ = in.Close(), inWrite.Close()
		return "", err
	}
	cmd := exec.CommandContext(ctx, "git", "-c", "protocol.fd.allow=always", "clone", "--quiet", "fd::3,4", dir) //nolint:gosec // no shell
	cmd.Env = []string{"HOME=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C"}
	cmd.ExtraFiles = []*os.File{in, outWrite}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Start()
	_, _ = in.Close(), outWrite.Close() // git has its own
	if err != nil {
		_, _ = inWrite.Close(), outRead.Close()
		return "", err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(toServer, outRead) // ends with git
		_ = toServer.Close()
	})
	wg.Go(func() {
		_, _ = io.Copy(inWrite, fromServer) // ends with the server, or when git no longer reads
		_ = inWrite.Close()
	})
	err = cmd.Wait()
	wg.Wait()
	_ = outRead.Close()
	return said.String(), err
}
