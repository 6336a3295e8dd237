package vaulttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/hashicorp/vault/api"
)

// startWithin is far more than the fifth of a second that a server takes, for
// machines that do much else.
const startWithin = time.Minute

// options say how one server differs from another.
type options struct {
	certificates string // folder for the certificates of a server with TLS; empty: no TLS
	leased       bool   // the mount "secret" is KV version 1, and its secrets have leases
}

// A process is a server's operating system process. It lives as long as alive is open.
type process struct {
	alive io.Closer
	done  chan struct{} // closed when it has ended
	end   error         // why, once it has
	log   *os.File      // has no name any more, so nothing is left behind
}

// start starts a server and waits until it answers. Another program may take the
// free port between its choice and its use, hence the tries.
func start(opts options) (*Server, error) {
	binary, err := binaryPath()
	if err != nil {
		return nil, err
	}
	var failures []error
	for range 3 {
		server, err := try(binary, opts)
		if err == nil {
			return server, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

func try(binary string, opts options) (*Server, error) {
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	server := &Server{Address: "http://" + listen, RootToken: "root-" + rand.Text()}
	args := []string{
		"until-eof", "server", "-dev", "-dev-no-store-token",
		"-dev-root-token-id=" + server.RootToken, "-dev-listen-address=" + listen,
	}
	if opts.certificates != "" {
		server.Address = "https://" + listen
		server.CACert = filepath.Join(opts.certificates, "vault-ca.pem")
		args = append(args, "-dev-tls", "-dev-tls-cert-dir="+opts.certificates)
	}
	if opts.leased {
		args = append(args, "-dev-leased-kv")
	}
	// The folder of plug-ins cannot be given as an argument without starting all of them.
	config, err := tempFile("vaulttest-*.hcl", fmt.Sprintf("plugin_directory = %q\n", filepath.Dir(binary)))
	if err != nil {
		return nil, err
	}
	defer os.Remove(config)
	if server.process, err = launch(binary, append(args, "-config="+config)); err != nil {
		return nil, err
	}
	if err := server.await(); err != nil {
		return nil, errors.Join(err, server.process.stop())
	}
	return server, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func tempFile(pattern, text string) (string, error) {
	file, err := os.CreateTemp("", pattern)
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(text)
	return file.Name(), errors.Join(err, file.Close())
}

// launch starts the binary with an environment of its own, so that no VAULT_
// variable of the person who runs the tests reaches it.
func launch(binary string, args []string) (*process, error) {
	log, err := os.CreateTemp("", "vaulttest-*.log")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(log.Name()); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"HOME=" + os.TempDir(), "TMPDIR=" + os.TempDir(), "NO_COLOR=1"}
	cmd.Stdout, cmd.Stderr = log, log
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{alive: alive, log: log, done: make(chan struct{})}
	go p.wait(cmd)
	return p, nil
}

// wait is the one goroutine that the shared server keeps: a test that looks for
// leaked goroutines ignores it by its name.
func (p *process) wait(cmd *exec.Cmd) {
	p.end = cmd.Wait()
	close(p.done)
}

// stop ends the process and returns when it has ended.
func (p *process) stop() error {
	err := p.alive.Close()
	<-p.done // why it ended is no news: it was told to
	return errors.Join(err, p.log.Close())
}

// output returns what the process has printed so far.
func (p *process) output() string {
	text, err := io.ReadAll(io.NewSectionReader(p.log, 0, 1<<20))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

var unsealKeyLine = regexp.MustCompile(`(?m)^Unseal Key: (\S+)$`)

// await waits until the server answers to its own root token: a stranger that
// took the port would not.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	for {
		err := s.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("the Vault server ended at once: %w; it printed:\n%s", s.process.end, s.process.output())
		case <-ctx.Done():
			return fmt.Errorf("the Vault server did not start within %s: %w; it printed:\n%s", startWithin, err, s.process.output())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// answers reports, as an error, whether the server does not work yet. The client
// is made late: a server with TLS writes the file of its authority as it starts.
func (s *Server) answers(ctx context.Context) error {
	if s.Root == nil {
		client, err := newClient(s.Address, s.CACert, s.RootToken)
		if err != nil {
			return err
		}
		s.Root = client
	}
	if _, err := s.Root.Auth().Token().LookupSelfWithContext(ctx); err != nil {
		return err
	}
	if err := kvReady(ctx, s.Root, "secret"); err != nil {
		return err
	}
	key := unsealKeyLine.FindStringSubmatch(s.process.output())
	if key == nil {
		return errors.New("it has not printed its unseal key")
	}
	s.unsealKey = key[1]
	return nil
}

// kvReady reports, as an error, whether a KV mount is still being prepared: a
// new version 2 mount refuses everything for a moment, also on the development server.
func kvReady(ctx context.Context, client *api.Client, mount string) error {
	_, err := client.Logical().ReadWithContext(ctx, mount+"/config")
	return err
}
