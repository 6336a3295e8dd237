// Package keys generates, parses and names the two kinds of key pairs of a
// connection: the consumer's RSA pair (OAuth 1.0a, RSA-SHA1) and the service
// user's SSH pair. It talks to no system and stores nothing.
package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/bits"
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
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return "", fmt.Errorf("parsing a public key: %w", err)
	}
	if rsaKey, ok := key.(*rsa.PublicKey); ok && len(der) == canonicalLength(rsaKey) {
		return digest(der), nil
	}
	canonical, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("encoding a public key: %w", err)
	}
	return digest(canonical), nil
}

// canonicalLength is how long the key's SubjectPublicKeyInfo is. DER that parsed
// and has this length has nothing in it but the key, in its one encoding, so
// that encoding it again, which costs more than all else here, can be spared.
func canonicalLength(key *rsa.PublicKey) int {
	const algorithm = 15 // SEQUENCE of the OID of RSA and NULL
	element := func(n int) int {
		switch {
		case n < 1<<7:
			return 2 + n
		case n < 1<<8:
			return 3 + n
		}
		return 4 + n // keys.MaxRSABits is far below 64 kB
	}
	exponent := bits.Len(uint(key.E))/8 + 1
	pair := element(element(key.N.BitLen()/8+1) + element(exponent))
	return element(algorithm + element(1+pair))
}

func publicDER(text string) ([]byte, error) {
	if block, _ := pem.Decode([]byte(strings.TrimSpace(text) + "\n")); block != nil {
		return block.Bytes, nil
	}
	bare := strings.Join(strings.Fields(text), "")
	der, err := base64.StdEncoding.DecodeString(bare)
	if err != nil || len(der) == 0 {
		return nil, errors.New("parsing a public key: neither PEM nor base64")
	}
	return der, nil
}

// ParseRSA parses an RSA private key in PEM without a passphrase (PKCS #1 or
// PKCS #8) and returns it as a signer.
func ParseRSA(private secret.Text) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(private.Reveal()))
	if block == nil {
		return nil, errors.New("parsing a private key: not PEM")
	}
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, errors.New("parsing a private key: it is protected by a passphrase, which Terraform cannot use")
	case strings.HasSuffix(block.Type, "PUBLIC KEY"):
		return nil, errors.New("parsing a private key: this is a public one")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("parsing a private key: neither PKCS #1 nor PKCS #8")
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("parsing a private key: it is %s, which is not RSA", kind(key))
	}
	return rsaKey, nil
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

// ConsumerFrom returns the pair that a user's own RSA private key makes.
func ConsumerFrom(private secret.Text) (Pair, error) {
	key, err := ParseRSA(private)
	if err != nil {
		return Pair{}, err
	}
	if key.N.BitLen() < MinRSABits {
		return Pair{}, fmt.Errorf("the RSA key has %d bits, less than %d", key.N.BitLen(), MinRSABits)
	}
	return consumerPair(key)
}
