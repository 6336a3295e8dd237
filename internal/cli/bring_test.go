package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/sandbox"
)

type worldKey struct{}

// bring puts a user's own private key into Vault at secret/brought#key: bring KIND
// [OWNER]. Given an owner, its public half is on that Bitbucket user already.
// Kinds: rsa, pkcs8, openssh, small, curve, passphrase, openssh-passphrase, public,
// words.
func bring(ts *testscript.TestScript, _ bool, args []string) {
	key, err := rsa.GenerateKey(rand.Reader, map[bool]int{true: 1024, false: 2048}[args[0] == "small"])
	ts.Check(err)
	text, err := written(key, args[0])
	ts.Check(err)
	body, err := json.Marshal(map[string]any{"data": map[string]string{"key": text}})
	ts.Check(err)
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("VAULT_ADDR")+"/v1/secret/data/brought", strings.NewReader(string(body)))
	ts.Check(err)
	req.Header.Set("X-Vault-Token", ts.Getenv("SETUP_TOKEN"))
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	ts.Check(res.Body.Close())
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("writing secret/brought: %s", res.Status)
	}
	if len(args) > 1 {
		public, err := ssh.NewPublicKey(key.Public())
		ts.Check(err)
		world := ts.Value(worldKey{}).(**sandbox.World) //nolint:forcetypeassert // setUp put it there
		_, err = (*world).Bitbuckets[0].AddSSHKey(args[1], strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), "somebody's own")
		ts.Check(err)
	}
}

// lifetime sets after how long the records' mount deletes what is written from now
// on: lifetime 1h.
func lifetime(ts *testscript.TestScript, _ bool, args []string) {
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("VAULT_ADDR")+"/v1/secret/config", strings.NewReader(`{"delete_version_after":"`+args[0]+`"}`))
	ts.Check(err)
	req.Header.Set("X-Vault-Token", ts.Getenv("SETUP_TOKEN"))
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	ts.Check(res.Body.Close())
	if res.StatusCode != http.StatusNoContent {
		ts.Fatalf("writing secret/config: %s", res.Status)
	}
}

func written(key *rsa.PrivateKey, kind string) (string, error) {
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	var err error
	switch kind {
	case "pkcs8":
		block.Type = "PRIVATE KEY"
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	case "curve":
		var curve *ecdsa.PrivateKey
		if curve, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err == nil {
			block.Type = "PRIVATE KEY"
			block.Bytes, err = x509.MarshalPKCS8PrivateKey(curve)
		}
	case "openssh":
		block, err = ssh.MarshalPrivateKey(key, "somebody")
	case "openssh-passphrase":
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "somebody", []byte("canary-passphrase"))
	case "passphrase":
		block, err = x509.EncryptPEMBlock(rand.Reader, block.Type, block.Bytes, []byte("canary-passphrase"), x509.PEMCipherAES256) //nolint:staticcheck // what ssh-keygen -m PEM writes
	case "public":
		block.Type = "PUBLIC KEY"
		block.Bytes, err = x509.MarshalPKIXPublicKey(key.Public())
	case "words":
		return "no key at all", nil
	}
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(block)), nil
}
