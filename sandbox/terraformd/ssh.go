package terraformd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

func fingerprint(signer ssh.Signer) string { return ssh.FingerprintSHA256(signer.PublicKey()) }

// remote is where a repository is over SSH.
type remote struct {
	user, address, path string
}

func parseRemote(cloneURL string) (remote, error) {
	u, err := url.Parse(cloneURL)
	if err != nil || u.Scheme != "ssh" || u.Hostname() == "" {
		return remote{}, errors.New("bitbucket offers no SSH address for the repository (is SSH access enabled?)")
	}
	r := remote{user: "git", path: u.Path}
	if u.User != nil {
		r.user = u.User.Username()
	}
	port := u.Port()
	if port == "" {
		port = "22"
	}
	r.address = net.JoinHostPort(u.Hostname(), port)
	return r, nil
}

// dial logs in with the key. The connection ends with ctx.
func (s *Server) dial(ctx context.Context, r remote, key secret.Text) (*ssh.Client, error) {
	if key.Empty() {
		return nil, errors.New("the VCS connection has no SSH key")
	}
	signer, err := keys.SSHSigner(key)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, fmt.Errorf("reaching %s: %w", r.address, err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	config := &ssh.ClientConfig{User: r.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: s.opts.HostKeys}
	inner, channels, requests, err := ssh.NewClientConn(conn, r.address, config)
	if err != nil {
		stop()
		_ = conn.Close()
		return nil, fmt.Errorf("logging in at %s with the SSH key %s: %w", r.address, fingerprint(signer), err)
	}
	return ssh.NewClient(inner, channels, requests), nil
}

// uploadPack starts the remote side of a fetch. What it says on stderr is in
// problem when the session has ended.
func uploadPack(client *ssh.Client, path string, problem io.Writer) (*ssh.Session, io.WriteCloser, io.Reader, error) {
	session, err := client.NewSession()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("opening an SSH session: %w", err)
	}
	in, err := session.StdinPipe()
	var out io.Reader
	if err == nil {
		out, err = session.StdoutPipe()
	}
	session.Stderr = problem
	if err == nil {
		err = session.Start("git-upload-pack '" + strings.ReplaceAll(path, "'", `'\''`) + "'")
	}
	if err != nil {
		_ = session.Close()
		return nil, nil, nil, fmt.Errorf("running git-upload-pack: %w", err)
	}
	return session, in, out, nil
}
