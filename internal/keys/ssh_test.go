package keys_test

import (
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// The pair is what "ssh-keygen -t rsa -m PEM" makes, and its line is the key's
// own: what is signed with the one half is verified with the other.
func TestGenerateSSH(t *testing.T) {
	pair, err := keys.GenerateSSH(keys.MinRSABits, "bbsync/corp/acme")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(pair.Private.Reveal(), "-----BEGIN RSA PRIVATE KEY-----\n") {
		t.Error("the private half is not PKCS #1 PEM")
	}
	public, comment, _, rest, err := ssh.ParseAuthorizedKey([]byte(pair.Public))
	if err != nil || comment != "bbsync/corp/acme" || len(rest) > 0 || strings.Contains(pair.Public, "\n") {
		t.Fatalf("have the line %q (%v)", pair.Public, err)
	}
	if got := ssh.FingerprintSHA256(public); got != pair.Fingerprint {
		t.Errorf("have fingerprint %s, want %s", pair.Fingerprint, got)
	}
	signer, err := keys.SSHSigner(pair.Private)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(nil, []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	if err := public.Verify([]byte("data"), signature); err != nil {
		t.Error(err)
	}
}

// A user's key in OpenSSH's own form becomes the form that Terraform documents.
func TestSSHFromOpenSSH(t *testing.T) {
	key := rsaKey(t, keys.MinRSABits)
	block, err := ssh.MarshalPrivateKey(key, "laptop")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := keys.SSHFrom(secret.New(string(pem.EncodeToMemory(block))), "")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(pair.Private.Reveal(), "-----BEGIN RSA PRIVATE KEY-----\n") || strings.Contains(pair.Public, "laptop") {
		t.Errorf("the key was not rewritten: %s", pair.Public)
	}
	again, err := keys.SSHFrom(pkcs8(t, key), "")
	if err != nil || again.Fingerprint != pair.Fingerprint {
		t.Errorf("have %s, %v, want %s", again.Fingerprint, err, pair.Fingerprint)
	}
}

func TestSSHPassphrase(t *testing.T) {
	block, err := ssh.MarshalPrivateKeyWithPassphrase(rsaKey(t, keys.MinRSABits), "", []byte("canary"))
	if err != nil {
		t.Fatal(err)
	}
	protected := secret.New(string(pem.EncodeToMemory(block)))
	if _, err := keys.SSHFrom(protected, ""); !errors.Is(err, keys.ErrPassphrase) {
		t.Errorf("have %v, want ErrPassphrase", err)
	}
	if _, err := keys.SSHSigner(protected); !errors.Is(err, keys.ErrPassphrase) {
		t.Errorf("have %v, want ErrPassphrase", err)
	}
}

// Only type and blob name a key: comments, options and space do not count.
func TestSSHFingerprint(t *testing.T) {
	pair, err := keys.GenerateSSH(keys.MinRSABits, "one")
	if err != nil {
		t.Fatal(err)
	}
	blob, err := keys.SSHBlob(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		pair.Public, blob, blob + " another comment", "  " + blob + "\n", "# a remark\n" + blob, `no-pty,command="true" ` + blob, blob + "\r\n",
	} {
		fingerprint, err := keys.SSHFingerprint(line)
		if err != nil || fingerprint != pair.Fingerprint {
			t.Errorf("%q: have %s, %v, want %s", line, fingerprint, err, pair.Fingerprint)
		}
		if got, err := keys.SSHBlob(line); err != nil || got != blob {
			t.Errorf("%q: have blob %q, %v, want %q", line, got, err, blob)
		}
	}
	for _, line := range []string{"", "# nothing", "ssh-rsa", "ssh-rsa AAAA", "ssh-dss " + strings.Fields(blob)[1], "a b c"} {
		if got, err := keys.SSHFingerprint(line); err == nil {
			t.Errorf("%q: have %s, want an error", line, got)
		}
		if got, err := keys.SSHBlob(line); err == nil {
			t.Errorf("%q: have %q, want an error", line, got)
		}
	}
}
