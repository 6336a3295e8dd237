// Package keys generates, parses and names the two kinds of key pairs of a
// connection: the consumer's RSA pair (OAuth 1.0a, RSA-SHA1) and the service
// user's SSH pair. It talks to no system and stores nothing.
package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/secret"
)

// Sizes in bits. Terraform documents RSA keys and accepts 1024 bits in its own
// tests; below 2048 Bitbucket and every security policy object.
const (
	MinRSABits     = 2048
	DefaultRSABits = 3072
	MaxRSABits     = 8192
)

// A Pair is a key pair. Public is what other systems may see: a PEM public key
// for a consumer, an authorized_keys line for SSH.
type Pair struct {
	Private     secret.Text
	Public      string
	Fingerprint string
}

// ConsumerKey returns a new random OAuth consumer key.
func ConsumerKey() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // crypto/rand.Read never fails since Go 1.24
	return "bbsync-" + hex.EncodeToString(b)
}

// GenerateConsumer makes the RSA pair of an OAuth consumer: PKCS #1 PEM and
// X.509 SubjectPublicKeyInfo PEM, the forms Bitbucket and Terraform document.
func GenerateConsumer(bits int) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return Pair{}, fmt.Errorf("generating an RSA key of %d bits: %w", bits, err)
	}
	return consumerPair(key)
}

func consumerPair(key *rsa.PrivateKey) (Pair, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return Pair{}, fmt.Errorf("encoding the public key: %w", err)
	}
	return Pair{
		Private:     secret.New(encodePKCS1(key)),
		Public:      string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		Fingerprint: digest(der),
	}, nil
}

func encodePKCS1(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// digest names bytes as ssh-keygen does: SHA256: and unpadded base64.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// PublicFingerprint returns the fingerprint of a public key in PEM, with or
// without its header and footer, so that two encodings of one key compare
// equal. Bitbucket re-encodes what it was given and Terraform keeps it verbatim.
func PublicFingerprint(publicPEM string) (string, error) {
	der, err := publicDER(publicPEM)
	if err != nil {
		return "", err
	}
	if isPublicInfo(der) {
		return digest(der), nil
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return "", fmt.Errorf("parsing a public key: %w", err)
	}
	canonical, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("encoding a public key: %w", err)
	}
	return digest(canonical), nil
}

const (
	publicHeader = "-----BEGIN PUBLIC KEY-----\n"
	publicFooter = "\n-----END PUBLIC KEY-----"
)

func publicDER(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if body, ok := strings.CutPrefix(text, publicHeader); ok {
		if body, ok = strings.CutSuffix(body, publicFooter); ok {
			if der, err := base64.StdEncoding.DecodeString(body); err == nil && len(der) > 0 { // which skips line ends
				return der, nil
			}
		}
	}
	if block, _ := pem.Decode([]byte(text + "\n")); block != nil {
		return block.Bytes, nil
	}
	bare := strings.Join(strings.Fields(text), "")
	der, err := base64.StdEncoding.DecodeString(bare)
	if err != nil || len(der) == 0 {
		return nil, errors.New("parsing a public key: neither PEM nor base64")
	}
	return der, nil
}

// ConsumerFrom returns the pair that a user's own RSA private key makes. It takes
// what SSHFrom takes.
func ConsumerFrom(private secret.Text) (Pair, error) {
	key, err := ownRSA(private)
	if err != nil {
		return Pair{}, fmt.Errorf("the consumer's private key: %w", err)
	}
	return consumerPair(key)
}
