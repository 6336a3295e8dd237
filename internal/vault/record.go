// Package vault logs in to HashiCorp Vault (or OpenBao) and keeps the records
// of connections there, one KV version 2 secret each, every write
// check-and-set. It knows nothing of the files, of plans, or of the other two
// systems.
package vault

import (
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// A Record is what Vault keeps for one connection. A key is in a record before
// any other system learns it, and stays until no system uses it.
type Record struct {
	Generation   string // random, made once: tells a record from a later one on the same path
	Fleet        string // owner
	Address      string // connection.team["acme"], the last known
	Terraform    string // address
	Organization string
	Bitbucket    string // URL
	ServiceUser  string
	Protected    bool   // the files said, last, that the connection is never to be removed
	Ended        *Ended // nil while bbsync keeps the connection
	// MovedFrom is the path of the record that this one took over and that may
	// still hold the keys, too; "" when that is emptied, and for none.
	MovedFrom string
	// Moving is the wave of workspaces that is under way, from before the first of
	// them is moved until all were seen to be fetched, or are back: whoever goes on
	// after a crash looks at them first. nil for none.
	Moving *Moving

	Consumer   *Consumer
	SSH        SSHKeys
	Authorized *Authorized
	Link       *Link
	Client     *OAuthClient
	// RefusedToken is the id of an OAuth token that Terraform, when asked, could
	// not use on Bitbucket any more, or that may have died with a link or a key
	// and has not been proven since; "" for none.
	RefusedToken string
	Retired      *Retired
	HostKeys     []string // Bitbucket's SSH host keys learned at first contact, authorized_keys form
	Lease        *Lease

	// Deletes is when Vault deletes the version that was read, as delete_version_after
	// of its mount or of the secret says; zero: never. It is not written.
	Deletes time.Time

	unknown document // fields of a newer bbsync, kept on rewriting
}

// A Consumer is the OAuth 1.0a consumer's key pair.
type Consumer struct {
	Key         string
	Private     secret.Text // PKCS #1 PEM
	Public      string      // PEM
	Fingerprint string      // of the public key
	Created     time.Time
	Brought     bool      // the user's own pair, not made by bbsync
	Condemned   string    // why the pair must not be used any more; "" for one that is trusted
	Previous    *Consumer // during a rotation: what both sides can go back to
}

// SSHKeys are the SSH key pairs by role.
type SSHKeys struct {
	Pending  *SSHKey // in Vault, perhaps on Bitbucket, not yet with Terraform
	Current  *SSHKey // the one that Terraform holds, or is to hold
	Previous *SSHKey // was current; on Bitbucket until the soak ends
}

// An SSHKey is one SSH key pair of the service user.
type SSHKey struct {
	Private     secret.Text // PKCS #1 PEM
	Public      string      // authorized_keys line
	Fingerprint string
	Created     time.Time
	Brought     bool
	Published   time.Time // when the public half was seen on Bitbucket first; zero: never
	Token       string    // id of the OAuth token it was set on; Terraform does not tell
	Set         time.Time // when
	// Proved is when bbsync itself last logged in with it, and Left when Terraform
	// was given another, both by Bitbucket's clock: what Bitbucket tells of its use
	// is compared with them.
	Proved, Left time.Time
	Condemned    string // why it must go at once; "" for a key that is trusted
}

// Authorized is the OAuth token that was seen to be the service user's: Terraform
// shows a token's user by the name of that day, also when the account is renamed.
type Authorized struct {
	Token   string // id
	User    string // as Terraform showed it
	Account int    // Bitbucket's id of the account
}

// Retired is the key that was dropped last.
type Retired struct {
	Fingerprint string
	At          time.Time
	Why         string // the reason of an emergency; "" otherwise
	Destroyed   bool   // the versions of the record that held it are destroyed
}

// A Link is the application link that bbsync made or adopted.
type Link struct {
	ID   string
	URL  string
	Made time.Time
}

// An OAuthClient is the client in Terraform that bbsync made or adopted.
type OAuthClient struct {
	ID   string
	Made time.Time
}

// A Lease keeps two appliers off one connection. It is a field of the record,
// so that taking it, renewing it and every key write share one check-and-set:
// a holder that was paused past its expiry cannot write.
type Lease struct {
	Holder  string    // who, as a person would recognise it
	Nonce   string    // of this holding
	Taken   time.Time // by Vault's clock, as is Expires; renewing leaves it
	Expires time.Time
}
