package bitbucketd

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// hostKeyBits is the size of the RSA host key.
const hostKeyBits = 2048

func newHostKeys() ([]string, error) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("ssh host key: %w", err)
	}
	second, err := rsa.GenerateKey(rand.Reader, hostKeyBits)
	if err != nil {
		return nil, fmt.Errorf("ssh host key: %w", err)
	}
	var keys []string
	for _, key := range []any{ed, second} {
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			return nil, fmt.Errorf("ssh host key: %w", err)
		}
		keys = append(keys, string(pem.EncodeToMemory(block)))
	}
	return keys, nil
}

func parseHostKeys(keys []string) ([]ssh.Signer, error) {
	var signers []ssh.Signer
	for _, text := range keys {
		signer, err := ssh.ParsePrivateKey([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("ssh host key: %w", err)
		}
		signers = append(signers, signer)
	}
	if signers == nil {
		return nil, errors.New("no ssh host key")
	}
	return signers, nil
}

// HostKeys returns the SSH host keys, as lines of authorized_keys without comment.
func (s *Server) HostKeys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, signer := range s.signers {
		lines = append(lines, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))))
	}
	return lines
}

// ChangeHostKeys gives the SSH server new keys, as after a move to another machine.
// Connections to come see them.
func (s *Server) ChangeHostKeys() error {
	keys, err := newHostKeys()
	if err != nil {
		return err
	}
	signers, err := parseHostKeys(keys)
	if err != nil {
		return err
	}
	return s.Change("changing the ssh host keys", func(st *State) error {
		st.HostKeys, s.signers = keys, signers
		return nil
	})
}

func fingerprintOf(key ssh.PublicKey) string {
	return strings.TrimPrefix(ssh.FingerprintSHA256(key), "SHA256:")
}

// url is the base of clone addresses, with a user and "@" or nothing before the
// host; the standard SSH port is left out.
func (e endpoint) url(user string) string {
	if e.port == 22 {
		return "ssh://" + user + e.host
	}
	return "ssh://" + user + e.host + ":" + strconv.Itoa(e.port)
}

// sshListeners are what CloseSSH has to close.
type sshListeners struct {
	mu     sync.Mutex
	closed bool
	open   map[io.Closer]bool
	wg     sync.WaitGroup
}

// add remembers what is open, and reports whether it may be.
func (l *sshListeners) add(c io.Closer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if l.open == nil {
		l.open = map[io.Closer]bool{}
	}
	l.open[c] = true
	l.wg.Add(1)
	return true
}

func (l *sshListeners) done(c io.Closer) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	l.wg.Done()
}

// ServeSSH serves SSH on the listener until CloseSSH, and then returns nil.
func (s *Server) ServeSSH(l net.Listener) error {
	if !s.sshd.add(l) {
		return l.Close()
	}
	defer s.sshd.done(l)
	for {
		conn, err := l.Accept()
		if err != nil {
			s.sshd.mu.Lock()
			closed := s.sshd.closed
			s.sshd.mu.Unlock()
			if closed {
				return nil
			}
			return fmt.Errorf("ssh server: %w", err)
		}
		if !s.sshd.add(conn) {
			_ = conn.Close()
			return nil
		}
		go func() {
			defer s.sshd.done(conn)
			s.serveConn(conn)
		}()
	}
}

// CloseSSH closes the SSH listeners and connections, and waits for their end and for
// the webhooks that pushes have caused.
func (s *Server) CloseSSH() {
	s.sshd.mu.Lock()
	s.sshd.closed = true
	for c := range s.sshd.open {
		_ = c.Close()
	}
	s.sshd.mu.Unlock()
	s.sshd.wg.Wait()
	s.Settle()
}

func (s *Server) serveConn(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	config := &ssh.ServerConfig{PublicKeyCallback: s.acceptKey, ServerVersion: "SSH-2.0-Atlassian-Bitbucket"}
	s.mu.Lock()
	disabled := s.st.Settings.SSHDisabled
	for _, signer := range s.signers {
		config.AddHostKey(signer)
	}
	s.mu.Unlock()
	if disabled {
		return
	}
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	keyID := server.Permissions.Extensions["key"]
	s.usedKey(keyID)
	go ssh.DiscardRequests(requests)
	var wg sync.WaitGroup
	defer wg.Wait()
	for ch := range channels {
		if ch.ChannelType() != "session" {
			_ = ch.Reject(ssh.UnknownChannelType, "only sessions are served")
			continue
		}
		channel, reqs, err := ch.Accept()
		if err != nil {
			return
		}
		wg.Go(func() { s.session(channel, reqs, server.Permissions.Extensions["user"]) })
	}
}

// acceptKey knows users by their keys; the name in the SSH request does not count.
func (s *Server) acceptKey(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.st.keyByBlob(key.Marshal())
	if k == nil || k.expired(s.now()) {
		return nil, errors.New("unknown or expired key")
	}
	if u := s.st.Users[k.User]; s.st.globalRank(u) < LicensedUser.rank() {
		return nil, errors.New("the key's user may not use the server")
	}
	return &ssh.Permissions{Extensions: map[string]string{"key": strconv.Itoa(k.ID), "user": k.User}}, nil
}

// usedKey sets lastAuthenticated. It is called after the handshake: a client also
// asks for keys that it then does not use.
func (s *Server) usedKey(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.st.SSHKeys {
		if strconv.Itoa(k.ID) == id {
			k.LastUsed = s.now().UnixMilli()
		}
	}
}
