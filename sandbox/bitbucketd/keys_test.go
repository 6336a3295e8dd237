package bitbucketd_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// key is an SSH key pair.
type key struct {
	signer ssh.Signer
	line   string
}

func newKey(t *testing.T) key {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keyOf(t, private)
}

func keyOf(t *testing.T, private any) key {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return key{signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

const sshKeys = "/rest/ssh/1.0/keys"

type sshKey struct {
	ID                int
	Text, Label       string
	AlgorithmType     string
	BitLength         int
	CreatedDate       int64
	Fingerprint       string
	LastAuthenticated string
	ExpiryDays        int
}

func TestSSHKeys(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	k := newKey(t)
	body := fmt.Sprintf(`{"text":%q}`, k.line+" me@there")
	have := into[sshKey](w, w.want(w.as(admin, "POST", sshKeys+"?user=svc@corp", body), 201))
	want := strings.TrimPrefix(ssh.FingerprintSHA256(k.signer.PublicKey()), "SHA256:")
	if have.Label != "me@there" || have.AlgorithmType != "ED25519" || have.Fingerprint != want || have.CreatedDate != w.now.Now().UnixMilli() {
		t.Errorf("have %+v", have)
	}
	one := fmt.Sprintf("%s/%d", sshKeys, have.ID)
	w.table([]row{
		{"unique on the server", ann, "POST " + sshKeys, fmt.Sprintf(`{"text":%q}`, k.line+" other"), 409, "already exists", nil},
		{"one's own", svc, "GET " + sshKeys, "", 200, "me@there", nil},
		{"none of others'", ann, "GET " + sshKeys, "", 200, `"size":0`, nil},
		{"not others' by name", ann, "GET " + sshKeys + "?user=svc@corp", "", 401, noPerm, nil},
		{"an administrator may", admin, "GET " + sshKeys + "?user=svc@corp", "", 200, "me@there", nil},
		{"by the new parameter", admin, "GET " + sshKeys + "?userName=svc@corp", "", 200, "me@there", nil},
		{"a slug is no name", admin, "GET " + sshKeys + "?user=svc_corp", "", 404, "NoSuchUser", nil},
		{"anonymous", "", "GET " + sshKeys, "", 401, noPerm, nil},
		{"no key", ann, "POST " + sshKeys, `{"text":"ssh-rsa nonsense"}`, 400, "not a valid", nil},
		{"private key", ann, "POST " + sshKeys, `{"text":"-----BEGIN RSA PRIVATE KEY-----\nMII"}`, 400, "not a valid", nil},
		{"type that does not fit", ann, "POST " + sshKeys, fmt.Sprintf(`{"text":%q}`, strings.Replace(k.line, "ssh-ed25519", "ssh-rsa", 1)), 400, "not a valid", nil},
		{"read needs admin", svc, "GET " + one, "", 401, noPerm, nil},
		{"read", admin, "GET " + one, "", 200, "me@there", nil},
		{"unknown", admin, "GET " + sshKeys + "/99999", "", 404, "", nil},
		{"delete of others'", ann, "DELETE " + one, "", 401, noPerm, nil},
		{"delete", svc, "DELETE " + one, "", 204, "", nil},
		{"delete again", svc, "DELETE " + one, "", 204, "", nil},
		{"add again", ann, "POST " + sshKeys, body, 201, "", nil},
		{"delete all", ann, "DELETE " + sshKeys, "", 204, "", nil},
		{"all gone", ann, "GET " + sshKeys, "", 200, `"size":0`, nil},
	})
}

func TestSSHKeyPolicy(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	w.must(w.Configure(func(s *bitbucketd.Settings) {
		s.SSHPolicy = bitbucketd.SSHPolicy{MaxExpiryDays: 30, Restrictions: []bitbucketd.SSHKeyTypeRestrict{
			{Algorithm: "RSA", Allowed: true, MinKeyLength: 2048}, {Algorithm: "ECDSA"},
		}}
	}))
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	w.must(err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	line := func(private any) string { return keyOf(t, private).line }
	w.table([]row{
		{"too short", ann, "POST " + sshKeys, fmt.Sprintf(`{"text":%q,"expiryDays":3}`, line(small)), 400, "at least 2048 bits", nil},
		{"not allowed", ann, "POST " + sshKeys, fmt.Sprintf(`{"text":%q,"expiryDays":3}`, line(curve)), 400, "not allowed", nil},
		{"no expiry", ann, "POST " + sshKeys, fmt.Sprintf(`{"text":%q}`, newKey(t).line), 400, "30 days", nil},
		{"late expiry", ann, "POST " + sshKeys, fmt.Sprintf(`{"text":%q,"expiryDays":31}`, newKey(t).line), 400, "30 days", nil},
		{"good", ann, "POST " + sshKeys, fmt.Sprintf(`{"text":%q,"expiryDays":30}`, newKey(t).line), 201, `"expiryDays":30`, nil},
	})
	w.must(w.Configure(func(s *bitbucketd.Settings) { s.SSHPolicy.DefaultToMax = true }))
	w.want(w.as(ann, "POST", sshKeys, fmt.Sprintf(`{"text":%q}`, newKey(t).line)), 201, `"expiryDays":30`)
	if n := len(w.KeysOf("ann")); n != 2 {
		t.Errorf("have %d keys", n)
	}
	w.now.advance(31 * 24 * time.Hour)
	if n := len(w.KeysOf("ann")); n != 0 {
		t.Errorf("have %d keys after their end", n)
	}
}
