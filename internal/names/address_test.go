package names_test

import (
	"testing"

	"github.com/bbsync/bbsync/internal/names"
)

// TestRootURL checks addresses of servers that have no path, as VAULT_ADDR has them.
func TestRootURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://Vault.example:8200/":  "https://vault.example:8200",
		"http://127.0.0.1:8200":        "http://127.0.0.1:8200",
		"http://vault.example:8200":    "",
		"https://vault.example/ui":     "",
		"https://vault.example/v1/":    "",
		"https://root:tiger@vault:443": "",
		"vault.example:8200":           "",
		"unix:///run/vault.sock":       "",
		"":                             "",
	} {
		if have, err := names.RootURL(raw); have != want || (err == nil) != (want != "") {
			t.Errorf("RootURL(%q) = %q, %v, want %q", raw, have, err, want)
		}
	}
}

// TestCheckReceiver allows http to another machine only for reports without a credential.
func TestCheckReceiver(t *testing.T) {
	for _, tt := range []struct {
		raw        string
		credential bool
		ok         bool
	}{
		{"https://hooks.example/services/T0?x=1", true, true},
		{"http://hooks.example/services/T0", true, false},
		{"http://127.0.0.1:9091", true, true},
		{"http://push_gateway:9091", false, true},
		{"http://pushgateway:9091", true, false},
		{"https://user:tiger@pushgateway", false, false},
		{"ftp://pushgateway", false, false},
		{"pushgateway:9091", false, false},
	} {
		if err := names.CheckReceiver(tt.raw, tt.credential); (err == nil) != tt.ok {
			t.Errorf("CheckReceiver(%q, %t) = %v", tt.raw, tt.credential, err)
		}
	}
}
