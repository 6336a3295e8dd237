package bitbucketd

import (
	"crypto/dsa" //nolint:staticcheck // users' old keys are of this type too
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"

	"golang.org/x/crypto/ssh"
)

// measure returns the key's algorithm as the server names it, and its bits; 0 bits
// for a kind that the server does not take.
func measure(key ssh.PublicKey) (algorithm string, bits int) {
	under, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return "", 0
	}
	switch pub := under.CryptoPublicKey().(type) {
	case *rsa.PublicKey:
		return "RSA", pub.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", pub.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "ED25519", 8 * len(pub)
	case *dsa.PublicKey:
		return "DSA", pub.P.BitLen()
	}
	return "", 0
}
