package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Facts are the addresses and credentials of a world: what its user needs, and
// what is kept so that the next run has the same.
type Facts struct {
	Control    string           `json:"control"` // address of the sandbox's own controls
	Terraform  TerraformFacts   `json:"terraform"`
	Bitbuckets []BitbucketFacts `json:"bitbuckets"`
	Vault      VaultFacts       `json:"vault"`
	CAFile     string           `json:"ca_file"`
	People     People           `json:"people"`
	Gateway    GatewayFacts     `json:"gateway,omitzero"` // in front of Terraform and the Bitbuckets
}

// TerraformFacts are of the sandbox's Terraform.
type TerraformFacts struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

// BitbucketFacts are of one of the sandbox's Bitbuckets.
type BitbucketFacts struct {
	Version string `json:"version"`
	URL     string `json:"url"`
	SSH     string `json:"ssh"` // host:port
}

// VaultFacts are of the sandbox's Vault.
type VaultFacts struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

// People are the passwords of the world's users; they exist nowhere else.
type People struct {
	Platform    string `json:"platform"`    // of user "platform" in Terraform, owner of all organizations
	Admin       string `json:"admin"`       // of Bitbucket's administrator "admin"
	ServiceUser string `json:"serviceUser"` // of Bitbucket's "svc-terraform"

	// AdminTOTP is the secret of the administrator's second factor, in base32. It counts
	// once the administrator is enrolled.
	AdminTOTP string `json:"adminTotp"`
}

// The names of the world's users.
const (
	PlatformUser = "platform"
	AdminUser    = "admin"
	ServiceUser  = "svc-terraform"
)

func (f *Facts) bitbucket(i int) BitbucketFacts {
	if i < len(f.Bitbuckets) {
		return f.Bitbuckets[i]
	}
	return BitbucketFacts{}
}

func (f *Facts) setBitbucket(i int, b BitbucketFacts) {
	for len(f.Bitbuckets) <= i {
		f.Bitbuckets = append(f.Bitbuckets, BitbucketFacts{})
	}
	f.Bitbuckets[i] = b
}

// loadFacts reads what the last run left, or makes up credentials. Each holds
// the word canary, so that one that leaks is found.
func (w *World) loadFacts() error {
	text, err := os.ReadFile(w.sub("sandbox.json"))
	if err == nil {
		if err := json.Unmarshal(text, &w.Facts); err != nil {
			return fmt.Errorf("reading %s: %w", w.sub("sandbox.json"), err)
		}
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	w.Facts.Terraform.Token = canary("terraform")
	w.Facts.Vault.Token = canary("vault")
	w.Facts.People = People{Platform: canary("platform"), Admin: canary("admin"), ServiceUser: canary("service"), AdminTOTP: totpCanary()}
	return nil
}

// totpCanary is a secret of 160 bits whose base32 holds the word, too.
func totpCanary() string { return "CANARY" + rand.Text()[:26] }

func canary(of string) string { return "canary-" + of + "-" + strings.ToLower(rand.Text()) }

func (w *World) saveFacts() error {
	text, err := json.MarshalIndent(w.Facts, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(w.sub("sandbox.json"), append(text, '\n'), 0o600)
}

// Environment returns what a process needs to find the world: Vault's usual
// variables, values for the examples' variables, and the controls.
func (f Facts) Environment() []string {
	env := []string{
		"BBSYNC_SANDBOX=" + f.Control,
		"VAULT_ADDR=" + f.Vault.Address,
		"VAULT_AGENT_ADDR=", // which would go before it
		"VAULT_TOKEN=" + f.Vault.Token,
		"BBSYNC_VAR_vault_address=" + f.Vault.Address,
		"BBSYNC_VAR_terraform_address=" + f.Terraform.Address,
		"BBSYNC_VAR_ca_file=" + f.CAFile,
	}
	for i, b := range f.Bitbuckets {
		name := "BBSYNC_VAR_bitbucket_url"
		if i > 0 {
			name = fmt.Sprintf("BBSYNC_VAR_bitbucket_%d_url", i+1)
		}
		env = append(env, name+"="+b.URL)
	}
	return env
}
