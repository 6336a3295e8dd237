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

// SSHFrom returns the pair of a user's own SSH private key, checked for what
// Terraform accepts: RSA of at least MinRSABits, no passphrase. Whatever form it
// has, it is rewritten as PKCS #1.
func SSHFrom(private secret.Text, comment string) (Pair, error) {
	key, err := ownRSA(private)
	if err != nil {
		return Pair{}, fmt.Errorf("the SSH private key: %w", err)
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
