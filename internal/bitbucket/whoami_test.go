package bitbucket

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// sshServer is an SSH server that knows one key and answers whoami.
type sshServer struct {
	addr   string
	config *ssh.ServerConfig
	answer string
	status uint32
}

func newSSHServer(t *testing.T, known string, edit ...func(*sshServer)) *sshServer {
	t.Helper()
	s := &sshServer{answer: "svc-terraform\n", config: &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			line := ssh.MarshalAuthorizedKey(key)
			if !strings.HasPrefix(known, strings.TrimSpace(string(line))) {
				return nil, errors.New("unknown key")
			}
			return nil, nil
		},
	}}
	for _, e := range edit {
		e(s)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	return s
}

func (s *sshServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			ok := r.Type == "exec" && bytes.HasSuffix(r.Payload, []byte("whoami"))
			_ = r.Reply(ok, nil)
			if ok {
				_, _ = channel.Write([]byte(s.answer))
				_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{s.status}))
				_ = channel.Close()
			}
		}
	}
}

func hostKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func sshPair(t *testing.T) keys.Pair {
	t.Helper()
	pair, err := keys.GenerateSSH(keys.MinRSABits, "svc-terraform")
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestWhoamiSSH(t *testing.T) {
	ed, edLine := hostKey(t)
	_, otherLine := hostKey(t)
	pair, stranger := sshPair(t), sshPair(t)
	rsaSigner, err := keys.SSHSigner(stranger.Private)
	if err != nil {
		t.Fatal(err)
	}
	rsaLine := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(rsaSigner.PublicKey())))
	s := newSSHServer(t, pair.Public, func(s *sshServer) {
		s.config.AddHostKey(rsaSigner)
		s.config.AddHostKey(ed)
	})
	c := client(t, "https://bitbucket.example")

	for name, pins := range map[string][]string{
		"learning": nil, "ed25519 pinned": {edLine}, "rsa pinned": {rsaLine + " comment"}, "one of two": {otherLine, edLine},
	} {
		proof, err := c.WhoamiSSH(t.Context(), s.addr, pair.Private, pins)
		if err != nil || proof.User != "svc-terraform" || proof.HostKey != edLine && proof.HostKey != rsaLine {
			t.Errorf("%s: %+v, %v", name, proof, err)
		}
		if len(pins) == 1 && !strings.HasPrefix(pins[0], proof.HostKey) {
			t.Errorf("%s: host key %s", name, proof.HostKey)
		}
	}
	_, err = c.WhoamiSSH(t.Context(), s.addr, pair.Private, []string{otherLine})
	var changed *HostKeyError
	if !errors.As(err, &changed) || changed.Have != edLine || errors.Is(err, ErrKeyRefused) || !strings.Contains(err.Error(), "SHA256:") {
		t.Errorf("another host key: %v", err)
	}
	if _, err = c.WhoamiSSH(t.Context(), s.addr, stranger.Private, []string{edLine}); !errors.Is(err, ErrKeyRefused) {
		t.Errorf("a stranger's key: %v", err)
	}
	for name, test := range map[string]struct {
		key  secret.Text
		pins []string
	}{"no key": {secret.New("x"), nil}, "no pin": {pair.Private, []string{"x"}}} {
		if _, err := c.WhoamiSSH(t.Context(), s.addr, test.key, test.pins); err == nil || errors.Is(err, ErrKeyRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Servers before 7 know RSA keys with SHA-1 only.
func TestWhoamiSSHOnAnOldServer(t *testing.T) {
	pair, host := sshPair(t), sshPair(t)
	signer, err := ssh.ParsePrivateKey([]byte(host.Private.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	old, err := ssh.NewSignerWithAlgorithms(signer.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA})
	if err != nil {
		t.Fatal(err)
	}
	s := newSSHServer(t, pair.Public, func(s *sshServer) {
		s.config.AddHostKey(old)
		s.config.PublicKeyAuthAlgorithms = []string{ssh.KeyAlgoRSA}
	})
	for _, pins := range [][]string{nil, {host.Public}} {
		if proof, err := client(t, "https://bitbucket.example").WhoamiSSH(t.Context(), s.addr, pair.Private, pins); err != nil || proof.User == "" {
			t.Errorf("pins %v: %+v, %v", pins, proof, err)
		}
	}
}

func TestWhoamiSSHFaults(t *testing.T) {
	pair := sshPair(t)
	ed, _ := hostKey(t)
	c := client(t, "https://bitbucket.example", func(c *Config) { c.Timeout = 300 * time.Millisecond })
	withKey := func(edit func(*sshServer)) string {
		return newSSHServer(t, pair.Public, func(s *sshServer) {
			s.config.AddHostKey(ed)
			edit(s)
		}).addr
	}
	raw := func(talk func(net.Conn)) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				talk(conn)
				_ = conn.Close()
			}
		}()
		return listener.Addr().String()
	}
	release := make(chan struct{})
	defer close(release)
	for name, addr := range map[string]string{
		"escapes":      withKey(func(s *sshServer) { s.answer = "svc\x1b[2J" }),
		"no answer":    withKey(func(s *sshServer) { s.answer = "\n" }),
		"endless":      withKey(func(s *sshServer) { s.answer = strings.Repeat("a ", 9000) }),
		"fails":        withKey(func(s *sshServer) { s.status = 1 }),
		"hangs up":     raw(func(net.Conn) {}),
		"speaks HTTP":  raw(func(c net.Conn) { _, _ = fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }),
		"says nothing": raw(func(net.Conn) { <-release }),
	} {
		_, err := c.WhoamiSSH(t.Context(), addr, pair.Private, nil)
		if err == nil || errors.Is(err, ErrKeyRefused) || strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 2000 {
			t.Errorf("%s: %v", name, err)
		}
		if name == "says nothing" && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
