package expiry

import (
	"fmt"
	"time"
)

// OAuthTokenLife is how long Bitbucket lets an OAuth 1.0a access token live unless
// configured otherwise. It tells nobody but the one who gets the token.
const OAuthTokenLife = 5 * 365 * Day

// OfOAuthToken returns the end of a connection's OAuth token.
func OfOAuthToken(connection, user string, created time.Time) End {
	e := End{What: OAuthToken, Of: connection, Begins: created, About: true, Renew: "authorize the connection again as " + user + " before (bbsync authorize)"}
	if created.IsZero() {
		e.Unknown = "Terraform does not tell when the token was made"
		return e
	}
	e.At = created.Add(OAuthTokenLife)
	return e
}

// OfAdminLogin returns the end of the OAuth token that bbsync login has stored for a
// Bitbucket.
func OfAdminLogin(label string, created, ends time.Time) End {
	e := End{What: AdminLogin, Of: "bitbucket." + label, Begins: created, At: ends, Renew: "run bbsync login " + label}
	if ends.IsZero() {
		e.Unknown = "Bitbucket did not say when the token ends"
	}
	return e
}

// OfSSHKey returns the end of a connection's SSH key by Bitbucket's rules. A key that
// bbsync made is rotated in time by an apply on schedule; a user-supplied one is not.
func OfSSHKey(connection string, created, expires time.Time, supplied bool) End {
	e := End{What: SSHKey, Of: connection, Begins: created, At: expires, Auto: !supplied, Renew: "run bbsync apply on schedule, which rotates the key"}
	if supplied {
		e.Renew = "put another key where ssh_key refers to, and run bbsync rotate"
	}
	return e
}

// OfCertificate returns the end of a certificate that a system shows, or that bbsync
// shows to it.
func OfCertificate(system, subject string, begins, until time.Time, own bool) End {
	if own {
		return End{
			What: ClientCertificate, Of: system, Name: subject, Begins: begins, At: until,
			Renew: "store a new certificate and key where client_certificate and client_key refer to",
		}
	}
	return End{What: Certificate, Of: system, Name: subject, Begins: begins, At: until, Renew: "have the server's certificate renewed"}
}

// OfLicense returns the end of a Bitbucket's licence.
func OfLicense(system string, created, expires, grace time.Time) End {
	e := End{What: License, Of: system, Begins: created, At: expires, Renew: "have Bitbucket's administrator install a new license: without one pushes are refused"}
	if grace.After(expires) {
		e.Renew += " from " + grace.UTC().Format(time.DateOnly) + " on"
	}
	return e
}

// A Vault is what a Vault says of its login.
type Vault struct {
	Login            bool // the token came from a login, and the next run gets another
	Created, Expires time.Time
}

// OfVaultToken returns the end of Vault's token. Every run renews it, so that the end
// of one that lives for days moves with each: the day is what counts.
func OfVaultToken(v Vault) End {
	e := End{What: VaultToken, Of: "vault", Begins: v.Created, At: v.Expires, Auto: v.Login, Renew: "log in to Vault again (vault login), or give the vault block an auth block"}
	if e.At.Sub(e.Begins) > 2*Day {
		e.At = e.At.Truncate(Day)
	}
	if v.Login {
		e.Renew = "nothing: every run logs in again"
	}
	return e
}

// OfSecretID returns the end of an AppRole's secret id; uses is how many logins it is
// still good for, 0 for any number.
func OfSecretID(created, expires time.Time, uses int) End {
	e := End{What: SecretID, Of: "vault", Begins: created, At: expires, Renew: "create a new secret id for the role, and give it to bbsync"}
	if uses > 0 {
		e.Renew += fmt.Sprintf("; this one is good for %d more logins", uses)
	}
	return e
}

// CannotKnow returns the end of a thing of which the system does not tell it.
func CannotKnow(what Kind, of, name, why string) End {
	return End{What: what, Of: of, Name: name, Unknown: why}
}

// OfAPIToken returns the end of a token with which bbsync calls Terraform, and which
// is kept at a place. renewable: bbsync can replace it.
func OfAPIToken(system, place string, created, expires time.Time, renewable bool) End {
	e := End{What: APIToken, Of: system, Name: place, Begins: created, At: expires, Renew: "create another one in Terraform and store it there"}
	if renewable {
		e.Renew = "run bbsync rotate --token " + system
	}
	return e
}
