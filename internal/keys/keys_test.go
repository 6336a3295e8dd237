package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// pkcs8 returns a private key as PKCS #8 PEM.
func pkcs8(t testing.TB, key any) secret.Text {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func curveKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestConsumerKey(t *testing.T) {
	form := regexp.MustCompile(`^bbsync-[0-9a-f]{32}$`)
	one, two := keys.ConsumerKey(), keys.ConsumerKey()
	if !form.MatchString(one) || one == two {
		t.Errorf("have %s and %s, want two of the form %s", one, two, form)
	}
}

// What is generated has the forms that both systems document, and comes out
// the same when its private half is given again.
func TestGenerateConsumer(t *testing.T) {
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(pair.Private.Reveal(), "-----BEGIN RSA PRIVATE KEY-----\n") {
		t.Error("the private half is not PKCS #1 PEM")
	}
	if !strings.HasPrefix(pair.Public, "-----BEGIN PUBLIC KEY-----\n") {
		t.Errorf("the public half is %q", pair.Public)
	}
	key, err := keys.ParseRSA(pair.Private)
	if err != nil || key.N.BitLen() != keys.MinRSABits {
		t.Fatalf("have %v, want an RSA key of %d bits", err, keys.MinRSABits)
	}
	again, err := keys.ConsumerFrom(pkcs8(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if again.Private.Reveal() != pair.Private.Reveal() || again.Public != pair.Public || again.Fingerprint != pair.Fingerprint {
		t.Error("the pair from PKCS #8 is another than the one generated")
	}
}

// Bitbucket shows a key without header and footer, in one line, and Terraform
// as it was typed: all are the same key.
func TestPublicFingerprint(t *testing.T) {
	pair, err := keys.GenerateConsumer(keys.MinRSABits)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.TrimSuffix(strings.TrimPrefix(pair.Public, "-----BEGIN PUBLIC KEY-----\n"), "-----END PUBLIC KEY-----\n")
	for name, text := range map[string]string{
		"as made":            pair.Public,
		"without line's end": strings.TrimSpace(pair.Public),
		"CRLF":               strings.ReplaceAll(pair.Public, "\n", "\r\n"),
		"spaces around":      "\n  " + pair.Public + "\n\n",
		"bare":               body,
		"bare, one line":     strings.ReplaceAll(body, "\n", ""),
		"bare, spaces":       strings.ReplaceAll(body, "\n", " "),
	} {
		got, err := keys.PublicFingerprint(text)
		if err != nil || got != pair.Fingerprint {
			t.Errorf("%s: have %q, %v, want %q", name, got, err, pair.Fingerprint)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "words": "no key at all", "base64 of nothing": "aGVsbG8=", "cut": body[:len(body)/2],
		"certificate": "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
	} {
		if got, err := keys.PublicFingerprint(text); err == nil {
			t.Errorf("%s: have %q, want an error", name, got)
		}
	}
}

// What cannot be used is refused with what it is, and nothing of it is quoted:
// the consumer and the SSH key say the same of one text.
func TestRefusedPrivateKeys(t *testing.T) {
	key := rsaKey(t, keys.MinRSABits)
	good := pkcs8(t, key).Reveal()
	protected, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("canary"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte("hello canary")}))
	}
	lines := strings.Split(strings.TrimSpace(good), "\n")
	for name, test := range map[string]struct{ text, why string }{
		"empty":               {"", "it is empty"},
		"words":               {"canary in words", "it is no key"},
		"damaged":             {block("RSA PRIVATE KEY"), "it is damaged"},
		"small":               {pkcs8(t, rsaKey(t, 1024)).Reveal(), "1024 bits, less than 2048"},
		"curve":               {pkcs8(t, curveKey(t)).Reveal(), "it is ECDSA, and Terraform documents RSA only"},
		"PKCS #8, passphrase": {block("ENCRYPTED PRIVATE KEY"), "protected by a passphrase"},
		"OpenSSH, passphrase": {string(pem.EncodeToMemory(protected)), "protected by a passphrase"},
		"PKCS #1, passphrase": {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,00\n\naGVsbG8gY2FuYXJ5\n-----END RSA PRIVATE KEY-----\n", "protected by a passphrase"},
		"escaped line breaks": {strings.Join(lines, `\n`), `its line breaks are written as \n`},
		"one line":            {strings.Join(lines, " "), "in one line"},
		"base64 of PEM":       {base64.StdEncoding.EncodeToString([]byte(good)), "encoded as base64 once more"},
		"without its frame":   {strings.Join(lines[1:len(lines)-1], "\n"), "without the lines -----BEGIN"},
		"cut off":             {strings.Join(lines[:len(lines)-1], "\n"), "it is cut off"},
		"public, OpenSSH":     {string(ssh.MarshalAuthorizedKey(public)), "it is a public key"},
		"public, PEM":         {block("PUBLIC KEY"), "it is a public key"},
		"certificate":         {block("CERTIFICATE"), "it is a certificate"},
		"PuTTY":               {"PuTTY-User-Key-File-3: ssh-rsa\ncanary\n", "PuTTY"},
		"two keys":            {good + good, "there are several keys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := keys.ConsumerFrom(secret.New(test.text))
			refused(t, err, "the consumer's private key: ", test.why)
			_, err = keys.SSHFrom(secret.New(test.text), "comment")
			refused(t, err, "the SSH private key: ", test.why)
		})
	}
}

// One key is taken in every form that holds it whole, for both pairs.
func TestPrivateKeyForms(t *testing.T) {
	key := rsaKey(t, keys.MinRSABits)
	openSSH, err := ssh.MarshalPrivateKey(key, "comment")
	if err != nil {
		t.Fatal(err)
	}
	good := pkcs8(t, key).Reveal()
	want, err := keys.ConsumerFrom(secret.New(good))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"PKCS #8": good, "PKCS #1": want.Private.Reveal(), "OpenSSH": string(pem.EncodeToMemory(openSSH)),
		"byte order mark": "\ufeff" + good, "line breaks of Windows": strings.ReplaceAll(good, "\n", "\r\n"),
		"space around": "\n\n  " + good + "  \n", "no line break at the end": strings.TrimSpace(good), "text before": "key of svc:\n" + good,
	} {
		if have, err := keys.ConsumerFrom(secret.New(text)); err != nil || have.Private.Reveal() != want.Private.Reveal() {
			t.Errorf("%s: the consumer's pair: %v", name, err)
		}
		if have, err := keys.SSHFrom(secret.New(text), ""); err != nil || have.Private.Reveal() != want.Private.Reveal() {
			t.Errorf("%s: the SSH pair: %v", name, err)
		}
	}
}

func refused(t *testing.T, err error, why ...string) {
	t.Helper()
	for _, w := range why {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("have %v, want an error that says %q", err, w)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "aGVsbG8")) {
		t.Errorf("the error quotes the key: %v", err)
	}
}

// A pair that is printed, in whatever way, shows its public half only.
func TestPairDoesNotPrint(t *testing.T) {
	pair, err := keys.GenerateSSH(keys.MinRSABits, "bbsync/corp/acme")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb+"\n", pair)
	}
	block, _ := pem.Decode([]byte(pair.Private.Reveal()))
	for _, leak := range []string{"PRIVATE KEY", fmt.Sprintf("%x", block.Bytes[20:60]), fmt.Sprintf("%x", "PRIVATE")} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the printed pair holds %q", leak)
		}
	}
}
