package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/secret"
)

// ErrPassphrase says that a private key is protected by a passphrase.
var ErrPassphrase = errors.New("it is protected by a passphrase, which Terraform cannot use; ssh-keygen -p -m PEM -N '' -f FILE removes it")

// ownRSA parses a user's own private key and checks what Terraform accepts.
func ownRSA(private secret.Text) (*rsa.PrivateKey, error) {
	key, err := ParseRSA(private)
	if err != nil {
		return nil, err
	}
	if key.N.BitLen() < MinRSABits {
		return nil, fmt.Errorf("it has %d bits, less than %d", key.N.BitLen(), MinRSABits)
	}
	return key, nil
}

// ParseRSA parses an RSA private key without a passphrase: PKCS #1 or PKCS #8 in
// PEM, or OpenSSH's own form. A byte order mark, space around it and any kind of
// line breaks are fine. The error says which other form it has, and quotes
// nothing of it.
func ParseRSA(private secret.Text) (*rsa.PrivateKey, error) {
	text := bytes.TrimSpace(bytes.TrimPrefix([]byte(private.Reveal()), []byte("\ufeff")))
	block, rest := pem.Decode(append(text, '\n'))
	if block == nil {
		return nil, notPEM(string(text))
	}
	if err := wrongBlock(block, rest); err != nil {
		return nil, err
	}
	raw, err := ssh.ParseRawPrivateKey(pem.EncodeToMemory(block))
	if _, protected := errors.AsType[*ssh.PassphraseMissingError](err); protected {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, errors.New("it is damaged: its PEM block holds no private key")
	}
	key, ok := raw.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it is %s, and Terraform documents RSA only; ssh-keygen -t rsa -b 3072 -m PEM -N '' makes one", kind(raw))
	}
	return key, nil
}

// wrongBlock says what a PEM block is that is no private key without a passphrase.
func wrongBlock(block *pem.Block, rest []byte) error {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return ErrPassphrase
	case strings.HasSuffix(block.Type, "PUBLIC KEY"):
		return errors.New("it is a public key: give its private half")
	case block.Type == "CERTIFICATE":
		return errors.New("it is a certificate: give a private key")
	case strings.Contains(string(rest), "PRIVATE KEY-----"):
		return errors.New("there are several keys in it: give one")
	}
	return nil
}

// notPEM says what a text is in which no PEM block is found.
func notPEM(text string) error {
	const how = "; store it with its line breaks, as vault kv put PATH FIELD=@FILE does"
	begins := strings.Contains(text, "-----BEGIN ")
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	switch {
	case text == "":
		return errors.New("it is empty")
	case begins && strings.Contains(text, `\n`):
		return errors.New(`its line breaks are written as \n` + how)
	case begins && !strings.Contains(text, "\n"):
		return errors.New("it is a key in PEM in one line" + how)
	case begins && !strings.Contains(text, "-----END "):
		return errors.New("it is cut off: the line -----END is missing")
	case begins:
		return errors.New("it is damaged: it begins as PEM and is none")
	case err == nil && bytes.Contains(decoded, []byte("-----BEGIN ")):
		return errors.New("it is a key in PEM that is encoded as base64 once more" + how)
	case err == nil && len(decoded) > 100:
		return errors.New("it is base64 without the lines -----BEGIN and -----END" + how)
	case strings.HasPrefix(text, "PuTTY-User-Key-File-"):
		return errors.New("it is PuTTY's own form; puttygen FILE -O private-openssh converts it")
	case strings.HasPrefix(text, "ssh-") || strings.HasPrefix(text, "ecdsa-"):
		return errors.New("it is a public key: give its private half")
	}
	return errors.New("it is no key: PEM or OpenSSH form is expected")
}

// kind names the type of a private key as people do.
func kind(key any) string {
	switch key.(type) {
	case *rsa.PrivateKey:
		return "RSA"
	case *ecdsa.PrivateKey:
		return "ECDSA"
	case ed25519.PrivateKey, *ed25519.PrivateKey:
		return "Ed25519"
	}
	return "of another kind"
}
