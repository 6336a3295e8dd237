package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/secret"
)

// GenerateSSH makes an RSA SSH pair: PKCS #1 PEM without a passphrase, the one
// form that Terraform documents ("ssh-keygen -t rsa -m PEM"), and an
// authorized_keys line that ends in comment.
func GenerateSSH(bits int, comment string) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return Pair{}, fmt.Errorf("generating an RSA key of %d bits: %w", bits, err)
	}
	return sshPair(secret.New(encodePKCS1(key)), comment)
}

// ErrPassphrase says that a private key is protected by a passphrase, which
// Terraform cannot use.
var ErrPassphrase = errors.New("the SSH key is protected by a passphrase, which Terraform cannot use")

// SSHFrom returns the pair of a user's own SSH private key, checked for what
// Terraform accepts: PEM, RSA of at least MinRSABits, no passphrase. A key in
// OpenSSH's own format is rewritten as PKCS #1.
func SSHFrom(private secret.Text, comment string) (Pair, error) {
	raw, err := ssh.ParseRawPrivateKey([]byte(private.Reveal()))
	var protected *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &protected):
		return Pair{}, ErrPassphrase
	case err != nil:
		return Pair{}, errors.New("parsing the SSH private key: not a key in PEM or OpenSSH form")
	}
	key, ok := raw.(*rsa.PrivateKey)
	if !ok {
		return Pair{}, fmt.Errorf("the SSH key is %s; Terraform documents RSA only", kind(raw))
	}
	if key.N.BitLen() < MinRSABits {
		return Pair{}, fmt.Errorf("the SSH key has %d bits, less than %d", key.N.BitLen(), MinRSABits)
	}
	return sshPair(secret.New(encodePKCS1(key)), comment)
}

func sshPair(private secret.Text, comment string) (Pair, error) {
	signer, err := SSHSigner(private)
	if err != nil {
		return Pair{}, err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	if comment != "" {
		line += " " + comment
	}
	return Pair{Private: private, Public: line, Fingerprint: ssh.FingerprintSHA256(signer.PublicKey())}, nil
}

// SSHSigner parses a private key for use in an SSH handshake.
func SSHSigner(private secret.Text) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey([]byte(private.Reveal()))
	var protected *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &protected):
		return nil, ErrPassphrase
	case err != nil:
		return nil, errors.New("parsing an SSH private key: not a key")
	}
	return signer, nil
}

// SSHFingerprint returns the SHA256 fingerprint of an authorized_keys line. It
// looks at the key blob alone: type and base64; comments and options do not
// count.
func SSHFingerprint(line string) (string, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)) //nolint:dogsled // the key is all that counts
	if err != nil {
		return "", errors.New("parsing an SSH public key: not an authorized_keys line")
	}
	return ssh.FingerprintSHA256(key), nil
}

// SSHBlob returns the key part of an authorized_keys line, type and base64.
func SSHBlob(line string) (string, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)) //nolint:dogsled // the key is all that counts
	if err != nil {
		return "", errors.New("parsing an SSH public key: not an authorized_keys line")
	}
	return key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal()), nil
}
