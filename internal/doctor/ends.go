package doctor

import (
	"time"

	"github.com/bbsync/bbsync/internal/expiry"
)

// endName names the check of what ends. What other checks say already (a chain of
// certificates, Vault's token, the keys of a connection) has none here.
func endName(what expiry.Kind) string {
	switch what {
	case expiry.APIToken:
		return "api-token"
	case expiry.License:
		return "license"
	case expiry.SecretID:
		return "secret-id"
	case expiry.ClientCertificate:
		return "client-certificate"
	case expiry.AdminLogin:
		return "login-ends"
	case expiry.OAuthToken, expiry.SSHKey, expiry.Certificate, expiry.VaultToken:
	}
	return ""
}

// endChecks judges what ends of a section.
func endChecks(section string, ends []expiry.End, now time.Time) []Check {
	var out []Check
	for _, e := range ends {
		if name := endName(e.What); name != "" && e.Of == section {
			out = append(out, endCheck(name, e, now))
		}
	}
	return out
}

func endCheck(name string, e expiry.End, now time.Time) Check {
	title := e.Title() + " " + e.When(now)
	switch e.State(now) {
	case expiry.Past:
		return failed(name, title, "it was not renewed in time", e.Renew)
	case expiry.Soon:
		return warning(name, title, "nothing renews it by itself", e.Renew)
	case expiry.Unknown:
		return unknown(name, e.Unknown, "")
	case expiry.Never, expiry.Later:
	}
	return ok(name, "%s", title)
}
