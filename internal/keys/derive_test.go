package keys_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// What is derived is what the whole key gives, whatever form it is in.
func TestDerive(t *testing.T) {
	for _, bits := range []int{2048, 2056, 3072} {
		key := rsaKey(t, bits)
		whole, err := keys.SSHFrom(pkcs8(t, key), "")
		if err != nil {
			t.Fatal(err)
		}
		consumer, err := keys.ConsumerFrom(whole.Private)
		if err != nil {
			t.Fatal(err)
		}
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		for name, private := range map[string]secret.Text{"PKCS #1": whole.Private, "PKCS #8": pkcs8(t, key)} {
			sameDerived(t, name, whole, private, keys.DeriveSSH)
			sameDerived(t, name, consumer, private, keys.DeriveConsumer)
		}
		sameDerived(t, "OpenSSH", whole, secret.New(string(pem.EncodeToMemory(block))), keys.DeriveSSH)
	}
}

func sameDerived(t *testing.T, name string, want keys.Pair, private secret.Text, derive func(secret.Text) (keys.Pair, error)) {
	t.Helper()
	have, err := derive(private)
	if err != nil || have.Public != want.Public || have.Fingerprint != want.Fingerprint {
		t.Errorf("%s: have %q %s %v, want %q %s", name, have.Public, have.Fingerprint, err, want.Public, want.Fingerprint)
	}
}

func TestDeriveEd25519(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	have, err := keys.DeriveSSH(pkcs8(t, private))
	if err != nil || have.Fingerprint != ssh.FingerprintSHA256(want) {
		t.Errorf("have %+v, %v, want %s", have, err, ssh.FingerprintSHA256(want))
	}
	if have, err := keys.DeriveConsumer(pkcs8(t, private)); err == nil {
		t.Errorf("a consumer's pair of an Ed25519 key: %+v", have)
	}
}

// What is no private key derives nothing, and is not quoted.
func TestDeriveRefuses(t *testing.T) {
	garbled := "-----BEGIN RSA PRIVATE KEY-----\naGVsbG8gY2FuYXJ5\n-----END RSA PRIVATE KEY-----\n"
	public, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"empty": "", "words": "canary", "garbled": garbled, "public": public.Public, "cut": public.Private.Reveal()[:90]} {
		for _, derive := range []func(secret.Text) (keys.Pair, error){keys.DeriveSSH, keys.DeriveConsumer} {
			have, err := derive(secret.New(text))
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: have %+v, %v", name, have, err)
			}
		}
	}
}

func BenchmarkDerive(b *testing.B) {
	pair, err := keys.GenerateSSH(keys.DefaultRSABits, "")
	if err != nil {
		b.Fatal(err)
	}
	for name, derive := range map[string]func(secret.Text) (keys.Pair, error){"ssh": keys.DeriveSSH, "consumer": keys.DeriveConsumer} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := derive(pair.Private); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
