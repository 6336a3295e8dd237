package systems

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/schema"
)

// TestVaultAddressFromTheEnvironment gives VAULT_ADDR the rules that the
// configuration has for address, before anything is sent.
func TestVaultAddressFromTheEnvironment(t *testing.T) {
	for address, want := range map[string]string{
		"http://vault.example:8200":         "http sends keys in the clear",
		"https://vault.example/ui":          "the address has no path",
		"http://127.0.0.1:1/v1":             "the address has no path",
		"https://root:tiger@vault.example/": "holds a user or password",
		"vault.example:8200":                "starts with https://",
		"":                                  "no address",
	} {
		env := Env{Getenv: func(name string) string {
			return map[string]string{"VAULT_ADDR": address, "VAULT_TOKEN": "hvs.secret"}[name]
		}}
		sys := New(&schema.Fleet{}, env)
		err := sys.Login(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "tiger") {
			t.Errorf("VAULT_ADDR=%s: login: %v, want %q", address, err, want)
		}
		if _, err := sys.LookAtVault(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("VAULT_ADDR=%s: look: %v, want %q", address, err, want)
		}
	}
}

// TestTerraformToken finds the token where Terraform and its neighbours keep it,
// in Terraform's own order.
func TestTerraformToken(t *testing.T) {
	const (
		login  = `{"credentials":{"tfe.example:8443":{"token":"from-login"},"xn--bcher-kva.example":{"token":"from-login"}}}`
		native = `
plugin_cache_dir = "/tmp"
credentials "TFE.example:8443" {
  token = "from-rc"
}
credentials "other.example" {
  token = "wrong"
}
`
		asJSON = `{"credentials":{"tfe.example:8443":{"token":"from-json"}}}`
	)
	for name, tt := range map[string]struct {
		address string
		files   map[string]string
		env     map[string]string
		want    string
	}{
		"variable":                 {env: map[string]string{"TF_TOKEN_other_example": "x"}, address: "https://other.example", want: "x"},
		"variable, hyphens":        {env: map[string]string{"TF_TOKEN_my__tfe_example": "x"}, address: "https://my-tfe.example", want: "x"},
		"variable, hyphens stay":   {env: map[string]string{"TF_TOKEN_my-tfe_example": "x"}, address: "https://my-tfe.example", want: "x"},
		"variable, dots stay":      {env: map[string]string{"TF_TOKEN_my-tfe.example": "x"}, address: "https://my-tfe.example", want: "x"},
		"variable before the file": {env: map[string]string{"TF_TOKEN_other_example": "x"}, files: map[string]string{".terraformrc": native}, address: "https://other.example", want: "x"},
		"login":                    {files: map[string]string{".terraform.d/credentials.tfrc.json": login}, want: "from-login"},
		"setup-terraform":          {files: map[string]string{".terraformrc": native}, want: "from-rc"},
		"login before configuration": {
			files: map[string]string{".terraformrc": native, ".terraform.d/credentials.tfrc.json": login}, want: "from-login",
		},
		"any tfrc in the folder": {files: map[string]string{".terraform.d/ours.tfrc": native}, want: "from-rc"},
		"configuration in JSON":  {files: map[string]string{".terraform.d/ours.tfrc.json": asJSON}, want: "from-json"},
		"TF_CLI_CONFIG_FILE": {
			files: map[string]string{"other.rc": native, ".terraformrc": `credentials "tfe.example:8443" { token = "wrong" }`},
			env:   map[string]string{"TF_CLI_CONFIG_FILE": "HOME/other.rc"}, want: "from-rc",
		},
		"TERRAFORM_CONFIG":   {files: map[string]string{"other.rc": native}, env: map[string]string{"TERRAFORM_CONFIG": "HOME/other.rc"}, want: "from-rc"},
		"one file is broken": {files: map[string]string{".terraformrc": "credentials {", ".terraform.d/credentials.tfrc.json": login}, want: "from-login"},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			write(t, home, tt.files)
			have, err := token(t, home, tt.address, tt.env)
			if err != nil || have != tt.want {
				t.Errorf("%q, %v, want %q", have, err, tt.want)
			}
		})
	}
}

// TestNoTerraformToken names every place that was looked at, and what is wrong
// with a file.
func TestNoTerraformToken(t *testing.T) {
	home := t.TempDir()
	write(t, home, map[string]string{".terraformrc": "credentials \"tfe.example\" { token = \"tiger\" }\n}", ".terraform.d/credentials.tfrc.json": `{"credentials":{"other.example":{"token":"tiger"}}}`})
	_, err := token(t, home, "https://my-tfe.example", nil)
	if err == nil {
		t.Fatal("a token out of nowhere")
	}
	for _, want := range []string{
		"no token for my-tfe.example", "TF_TOKEN_my__tfe_example", filepath.Join(home, ".terraformrc") + " (line 2", filepath.Join(home, ".terraform.d", "credentials.tfrc.json"),
		"terraform login my-tfe.example",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not contain %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "tiger") {
		t.Errorf("the error quotes a token: %v", err)
	}
}

func token(t *testing.T, home, address string, env map[string]string) (string, error) {
	t.Helper()
	if address == "" {
		address = "https://tfe.example:8443"
	}
	sys := New(&schema.Fleet{}, Env{Home: home, Getenv: func(name string) string { return strings.ReplaceAll(env[name], "HOME", home) }})
	have, err := sys.terraformToken(t.Context(), &schema.Terraform{Label: "tfe", Address: address}, schema.SecretRef{CredentialsFile: true})
	return have.Reveal(), err
}

func write(t *testing.T, home string, files map[string]string) {
	t.Helper()
	for name, body := range files {
		file := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUnusedVaultVariablesAreNamed has a Vault that the vault command would reach,
// by variables that bbsync does not read.
func TestUnusedVaultVariablesAreNamed(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	values := map[string]string{"VAULT_ADDR": server.URL, "VAULT_TOKEN": "hvs.secret", "VAULT_SKIP_VERIFY": "1", "VAULT_CAPATH": "/x"}
	err := New(&schema.Fleet{}, Env{Getenv: func(name string) string { return values[name] }}).Login(t.Context())
	if err == nil || !strings.Contains(err.Error(), "set ca_file") || !strings.Contains(err.Error(), "does not use VAULT_CAPATH, VAULT_SKIP_VERIFY") {
		t.Errorf("error %v", err)
	}
}
