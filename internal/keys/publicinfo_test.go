package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
)

// TestPublicInfo compares the encoder with x509's, for moduli around each boundary
// of DER's lengths.
func TestPublicInfo(t *testing.T) {
	for _, size := range []int{512, 1016, 1017, 1024, 1032, 1976, 2040, 2047, 2048, 2049, 3072, 4096, 8192, 8200} {
		for _, e := range []int{3, 127, 128, 255, 65537, 1<<24 - 1, 1<<31 - 1} {
			der := publicKey(t, size, e)
			n, exponent := unsigned(modulus(t, der).Bytes()), unsigned(big.NewInt(int64(e)).Bytes())
			if have := publicInfo(n, exponent); !slices.Equal(have, der) {
				t.Errorf("%d bits, exponent %d: have %x, want %x", size, e, have, der)
			}
			if have, want := isPublicInfo(der), size > 1016 && size <= MaxRSABits && e < 1<<24; have != want {
				t.Errorf("%d bits, exponent %d: recognized: %t, want %t", size, e, have, want)
			}
			for _, text := range []string{base64.StdEncoding.EncodeToString(der), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))} {
				if have, err := PublicFingerprint(text); err != nil || have != digest(der) {
					t.Errorf("%d bits, exponent %d: %s, %v", size, e, have, err)
				}
			}
		}
	}
}

// TestIsPublicInfo checks that nothing but the one encoding of a key is recognized:
// fingerprints are compared.
func TestIsPublicInfo(t *testing.T) {
	der := publicKey(t, 2048, 65537)
	if isPublicInfo(append(slices.Clone(der), 0)) {
		t.Error("trailing bytes are recognized")
	}
	for i := range der {
		for bit := range 8 {
			other := slices.Clone(der)
			other[i] ^= 1 << bit
			if !isPublicInfo(other) {
				continue
			}
			key, err := x509.ParsePKIXPublicKey(other)
			if err != nil {
				t.Fatalf("byte %d, bit %d: x509 does not parse it: %v", i, bit, err)
			}
			if again, err := x509.MarshalPKIXPublicKey(key); err != nil || !slices.Equal(again, other) {
				t.Fatalf("byte %d, bit %d: another encoding of a key is recognized", i, bit)
			}
		}
	}
	for n := range der {
		if isPublicInfo(der[:n]) {
			t.Fatalf("the first %d bytes are recognized", n)
		}
	}
}

func publicKey(t *testing.T, size, e int) []byte {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(size-1)))
	if err != nil {
		t.Fatal(err)
	}
	n.SetBit(n.SetBit(n, size-1, 1), 0, 1)
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: e})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func modulus(t *testing.T, der []byte) *big.Int {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		t.Fatalf("%T", key)
	}
	return public.N
}
