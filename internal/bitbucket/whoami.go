package bitbucket

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// ErrKeyRefused says that the SSH server does not let the key in: it is on no
// user, or was deleted, or has expired.
var ErrKeyRefused = fault.New(fault.CredentialRefused, "the SSH key was refused",
	"see ssh-key; bbsync apply adds the key again where it is missing")

// ErrHostKey says that the SSH server showed a key that is not pinned; see
// HostKeyError.
var ErrHostKey = fault.New(fault.Untrusted, "the SSH server's host key is not pinned",
	"ask Bitbucket's administrator whether the key was changed; if so, put the new one into ssh.host_keys")

// An SSHProof is what a login over SSH showed.
type SSHProof struct {
	User    string // whose key it is
	HostKey string // authorized_keys form, without a comment
}

// A HostKeyError says that the SSH server showed a key that is not pinned.
type HostKeyError struct {
	Addr string
	Have string   // the key it showed, authorized_keys form
	Want []string // fingerprints of the pinned ones
}

// Error names both keys by fingerprint and says what it may mean.
func (e *HostKeyError) Error() string {
	cause, fix := e.Explain()
	return cause + "; " + fix
}

// Unwrap returns ErrHostKey.
func (e *HostKeyError) Unwrap() error { return ErrHostKey }

// Explain implements fault.Explainer. A key pinned in the configuration takes
// precedence over one that was learned, so that the fix is the same for both.
func (e *HostKeyError) Explain() (cause, fix string) {
	have, err := keys.SSHFingerprint(e.Have)
	if err != nil {
		have = "unknown"
	}
	return fmt.Sprintf("the SSH server %s shows the host key %s, pinned is %s: either its key was changed or something stands in between",
		e.Addr, have, strings.Join(e.Want, " or ")), fault.Fix(ErrHostKey)
}

// WhoamiSSH logs in to Bitbucket's SSH server with the key and asks who it is.
// It uses neither an agent nor a known_hosts file. hostKeys are the pinned ones
// in authorized_keys form; without any, every key is taken and returned, to be
// pinned from then on. Another key is a *HostKeyError; a key that is not let in
// is ErrKeyRefused.
func (c *Client) WhoamiSSH(ctx context.Context, addr string, key secret.Text, hostKeys []string) (SSHProof, error) {
	login, err := newLogin(addr, key, hostKeys)
	if err != nil {
		return SSHProof{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var proof SSHProof
	proof.User, err = login.whoami(ctx, c.agent)
	if err != nil {
		if cause := ctx.Err(); cause != nil && !login.refused {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		return SSHProof{}, login.fault(err) // the library's errors repeat the server's texts
	}
	proof.HostKey = login.shown
	return proof, nil
}

// fault is the Error of a login.
func (l *login) fault(err error) *Error {
	e := &Error{Op: "logging in to the SSH server", Object: l.addr, cause: err}
	if l.wrong == nil && !l.refused {
		e.kind = ErrUnavailable
	}
	return e
}

// login is one attempt to log in.
type login struct {
	addr    string
	signer  ssh.Signer
	pinned  []ssh.PublicKey
	shown   string // the host key that was accepted
	wrong   *HostKeyError
	refused bool // the server said no to the key, and did not just hang up
}

func newLogin(addr string, key secret.Text, hostKeys []string) (*login, error) {
	signer, err := keys.SSHSigner(key)
	if err != nil {
		return nil, err
	}
	l := &login{addr: addr, signer: signer}
	for i, line := range hostKeys {
		pin, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("pinned SSH host key %d of %s: not an authorized_keys line", i+1, addr)
		}
		l.pinned = append(l.pinned, pin)
	}
	return l, nil
}

func (l *login) whoami(ctx context.Context, agent string) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", l.addr)
	if err != nil {
		return "", fmt.Errorf("%w; check that the port is open from here", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	transport, channels, requests, err := ssh.NewClientConn(conn, l.addr, l.config(agent))
	if err != nil {
		return "", l.explain(err)
	}
	client := ssh.NewClient(transport, channels, requests)
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return "", fmt.Errorf("opening a session: %w", err)
	}
	defer func() { _ = session.Close() }()
	out := &head{most: 1024}
	session.Stdout, session.Stderr = out, &head{most: 1024}
	if err := session.Run("whoami"); err != nil {
		return "", fmt.Errorf("asking whoami: %w", err)
	}
	name := strings.TrimSpace(out.String())
	if name == "" || escape(name) != name {
		return "", fmt.Errorf("asking whoami: the answer %s is no name", quote(name))
	}
	return name, nil
}

func (l *login) config(agent string) *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User: "git", // Bitbucket goes by the key alone
		Auth: []ssh.AuthMethod{ssh.PublicKeys(l.signer)},
		AuthCallback: func(so *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
			l.refused = l.refused || slices.Contains(so.TriedMethods, "publickey")
			return nil, nil
		},
		HostKeyCallback:   l.checkHost,
		HostKeyAlgorithms: l.algorithms(),
		ClientVersion:     "SSH-2.0-" + version(agent),
	}
}

// version makes a user agent fit for SSH's version line.
func version(agent string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '-' {
			return '_'
		}
		return r
	}, agent)
}

func (l *login) checkHost(_ string, _ net.Addr, key ssh.PublicKey) error {
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	if len(l.pinned) == 0 {
		l.shown = line
		return nil
	}
	want := make([]string, 0, len(l.pinned))
	for _, pin := range l.pinned {
		if bytes.Equal(pin.Marshal(), key.Marshal()) {
			l.shown = line
			return nil
		}
		want = append(want, ssh.FingerprintSHA256(pin))
	}
	l.wrong = &HostKeyError{Addr: l.addr, Have: line, Want: want}
	return l.wrong
}

// algorithms asks for a key of the pinned types: a server with several keys
// shows the one that was asked for first. Nil: the library's own order.
func (l *login) algorithms() []string {
	var list []string
	for _, pin := range l.pinned {
		if pin.Type() == ssh.KeyAlgoRSA { // one key, three signatures; SHA-1 alone on servers before 7
			list = append(list, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		}
		list = append(list, pin.Type())
	}
	return list
}

// explain tells a refused key and a wrong host key from what else can end a
// handshake.
func (l *login) explain(err error) error {
	switch {
	case l.wrong != nil:
		return l.wrong
	case l.refused:
		return fmt.Errorf("%w: it is on no user, or was deleted, or has expired", ErrKeyRefused)
	}
	return fmt.Errorf("%w; check that it is Bitbucket's SSH port", err)
}

// head keeps the beginning of what is written to it.
type head struct {
	bytes.Buffer
	most int
}

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	if room := h.most - h.Len(); room > 0 {
		_, _ = h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
