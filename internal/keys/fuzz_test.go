package keys_test

import (
	"encoding/pem"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// FuzzPublicFingerprint: whatever a server calls a public key either has a
// fingerprint, and the same one however it is wrapped, or is refused.
func FuzzPublicFingerprint(f *testing.F) {
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pair.Public)
	f.Add(strings.Join(strings.Split(pair.Public, "\n")[1:7], ""))
	f.Add("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		one, err := keys.PublicFingerprint(text)
		if err != nil {
			return
		}
		if two, err := keys.PublicFingerprint("\n" + text + "\r\n"); err != nil || two != one {
			t.Errorf("have %s, %v with line ends around it, want %s", two, err, one)
		}
	})
}

// FuzzPrivateKey: what is taken for a private key makes a pair that can be
// taken again and is the same; what is not is refused without being quoted.
func FuzzPrivateKey(f *testing.F) {
	key := rsaKey(f, keys.MinRSABits)
	openSSH, err := ssh.MarshalPrivateKey(key, "comment")
	if err != nil {
		f.Fatal(err)
	}
	protected, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		pkcs8(f, key).Reveal(), string(pem.EncodeToMemory(openSSH)), string(pem.EncodeToMemory(protected)), pkcs8(f, curveKey(f)).Reveal(),
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		private := secret.New(text)
		if pair, err := keys.ConsumerFrom(private); err == nil {
			if again, err := keys.ConsumerFrom(pair.Private); err != nil || again.Fingerprint != pair.Fingerprint {
				t.Errorf("the consumer's pair comes out as %s, %v, want %s", again.Fingerprint, err, pair.Fingerprint)
			}
		} else if len(text) > 40 && strings.Contains(err.Error(), text) {
			t.Error("the error quotes the key")
		}
		if pair, err := keys.SSHFrom(private, "c"); err == nil {
			if again, err := keys.SSHFrom(pair.Private, "c"); err != nil || again.Public != pair.Public {
				t.Errorf("the SSH pair comes out as %s, %v, want %s", again.Public, err, pair.Public)
			}
		} else if len(text) > 40 && strings.Contains(err.Error(), text) {
			t.Error("the error quotes the key")
		}
	})
}

// FuzzSSHLine: a line that has a fingerprint has a blob, which has the same.
func FuzzSSHLine(f *testing.F) {
	pair, err := keys.GenerateSSH(keys.MinRSABits, "comment")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pair.Public)
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJr5wLhZ4kUKYl0Xg9R7uAj4ZQk1nJ5T0m3p7cY8bD2E x")
	f.Add("# remark\n\nssh-rsa AAAA")
	f.Fuzz(func(t *testing.T, line string) {
		fingerprint, err := keys.SSHFingerprint(line)
		blob, blobErr := keys.SSHBlob(line)
		if (err == nil) != (blobErr == nil) {
			t.Fatalf("fingerprint: %v, blob: %v", err, blobErr)
		}
		if err != nil {
			return
		}
		if again, err := keys.SSHFingerprint(blob); err != nil || again != fingerprint {
			t.Errorf("the blob has %s, %v, want %s", again, err, fingerprint)
		}
	})
}
