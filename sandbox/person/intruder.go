package person

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/sandbox"
)

// intruder is what someone does who may write one record in Vault, or has stolen
// the administrator's password.
func intruder() []Breakage {
	return []Breakage{
		{"edit-record", "put a stranger's public SSH key and its fingerprint into the record in Vault", editRecord},
		{"add-ssh-key", "add a stranger's SSH key to the service user", addSSHKey},
	}
}

// strangersKey returns a new public key in authorized_keys form, and its fingerprint.
func strangersKey() (line, fingerprint string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return "", "", err
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), ssh.FingerprintSHA256(public), nil
}

func editRecord(ctx context.Context, p *Person, v victim) error {
	path, err := p.findRecord(ctx, "bbsync/", v)
	if err != nil {
		return err
	}
	var have struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	if err := p.vault(ctx, http.MethodGet, "/v1/secret/data/"+path, nil, &have); err != nil {
		return err
	}
	line, fingerprint, err := strangersKey()
	if err != nil {
		return err
	}
	have.Data.Data["ssh_current_public"], have.Data.Data["ssh_current_fingerprint"] = line, fingerprint
	return p.vault(ctx, http.MethodPost, "/v1/secret/data/"+path, map[string]any{"data": have.Data.Data}, nil)
}

func addSSHKey(ctx context.Context, p *Person, v victim) error {
	line, _, err := strangersKey()
	if err != nil {
		return err
	}
	key := map[string]any{"text": line, "label": "build server"}
	if err := p.bitbucket(ctx, v.base, http.MethodPost, "/ssh/1.0/keys?"+url.Values{"user": {sandbox.ServiceUser}}.Encode(), key, nil); err != nil {
		return fmt.Errorf("adding the key: %w", err)
	}
	return nil
}
