package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"
)

// TestCanonicalLength holds the length against the encoder's, for moduli around
// each boundary of DER's lengths, and that trailing bytes are not overlooked.
func TestCanonicalLength(t *testing.T) {
	for _, size := range []int{512, 1016, 1024, 1032, 1976, 2040, 2047, 2048, 2049, 3072, 4096, 8192} {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(size-1)))
		if err != nil {
			t.Fatal(err)
		}
		n.SetBit(n.SetBit(n, size-1, 1), 0, 1)
		for _, e := range []int{3, 127, 128, 255, 65537, 1<<31 - 1} {
			key := &rsa.PublicKey{N: n, E: e}
			der, err := x509.MarshalPKIXPublicKey(key)
			if err != nil {
				t.Fatal(err)
			}
			if have := canonicalLength(key); have != len(der) {
				t.Errorf("%d bits, exponent %d: %d, want %d", size, e, have, len(der))
			}
			have, err := PublicFingerprint(base64.StdEncoding.EncodeToString(der))
			if err != nil || have != digest(der) {
				t.Errorf("%d bits, exponent %d: %s, %v", size, e, have, err)
			}
		}
	}
}
