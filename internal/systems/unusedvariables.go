package systems

import (
	"fmt"
	"strings"
)

// unusedVaultVariables lists the variables that are set, that Vault's own tools read
// to find and trust a server, and that bbsync does not.
func unusedVaultVariables(getenv func(string) string) []string {
	var set []string
	for _, name := range []string{
		"VAULT_CAPATH", "VAULT_CACERT_BYTES", "VAULT_SKIP_VERIFY", "VAULT_TLS_SERVER_NAME", "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY",
		"VAULT_AGENT_ADDR", "VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY", "VAULT_SRV_LOOKUP",
	} {
		if getenv(name) != "" {
			set = append(set, name)
		}
	}
	return set
}

// withUnusedVariables says which variables have no effect, where the vault command
// would have reached the server.
func (s *Systems) withUnusedVariables(err error) error {
	set := unusedVaultVariables(s.env.Getenv)
	if len(set) == 0 {
		return err
	}
	return fmt.Errorf("%w (bbsync does not use %s; authorities are set by ca_file or VAULT_CACERT, proxies by HTTPS_PROXY)", err, strings.Join(set, ", "))
}
