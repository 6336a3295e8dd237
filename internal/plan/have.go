package plan

import (
	"strings"
	"time"
)

// Have is what was read of one connection. A pointer is nil when the object is
// not there; Unread says what could not be read, and then nothing is known.
type Have struct {
	Record      *Record
	Lifetime    time.Duration          // after which Vault deletes what is written to the record now; 0: never
	Moved       *MovedRecord           // there is no record, but one under the address that a moved block names
	Claims      []string               // paths of several records that claim to be that one; Moved is nil then
	Elsewhere   string                 // there is no record and no moved block, but a record of this very connection at this path; "" for none
	Before      *MovedRecord           // at the path that the record, or the moved one, says it took over; nil: none there
	From        []string               // addresses that moved blocks say the connection had
	Link        *Link                  // on the wanted URL
	NameTaken   bool                   // another link has the wanted name
	Consumer    *Consumer              // in Link
	Main        *OtherLink             // on Terraform's own address, when the wanted URL is another
	Old         *OtherLink             // on the URL that the record names, when the wanted URL is another
	Clients     []Client               // of the organization, all of them
	User        *User                  // the service user
	Keys        map[string]SSHKey      // of the service user, by fingerprint
	OldKeys     map[string]SSHKey      // of the user that the record names, when the files name another
	Projects    map[string]string      // Terraform project name → id, read when the connection names projects
	Pools       map[string]string      // agent pool name → id, read when the connection names one
	Using       map[string][]Workspace // by OAuth token's id, read when the connection relocates
	Kept        []Kept                 // connections of the files that stay where this one relocates from
	Shared      map[string][]KeyUser   // other connections that use the record's SSH keys, by fingerprint
	Compromised map[string]string      // of the record's SSH keys, those that another record's emergency marked: fingerprint → reason
	TokenDead   bool                   // Terraform was asked about a token marked as refused, and it still is
	Bitbucket   *Bitbucket
	Unread      []Unread
}

// Workspace is one that uses an OAuth token.
type Workspace struct {
	Name       string
	Repository string // PROJECT/slug
}

// Unread is a system that could not be read for this connection.
type Unread struct {
	System string // "terraform", "bitbucket" or "vault"
	Err    string // what happened
	Fix    string // how to fix it; "" if that is not known
	Cause  error  // the system's own error, for decisions by its kind
}

// String names the system once: what it says begins with its name, too.
func (u Unread) String() string { return u.System + ": " + strings.TrimPrefix(u.Err, u.System+": ") }

// Bitbucket is what was read of a Bitbucket once, for all its connections.
type Bitbucket struct {
	Version        string
	NativeWebhooks bool                       // 5.4 and newer
	KeyUsage       bool                       // tells when a key was last used (8.7 and newer)
	KeyRules       KeyRules                   // for SSH keys, where the server tells them (8.7 and newer)
	Granted        map[GrantPermission]bool   // asked for → held effectively
	Unknown        map[GrantPermission]string // asked for, and Bitbucket does not know the project or repository: what it says
	Unread         []Unread
	Strange        UnknownKeys
	Plugin         *Plugin                  // before 5.4; nil: not installed
	Hooks          map[GrantPermission]bool // before 5.4: hook enabled, by project and repository alone
}

// KeyRules are what a server's administrators ask of SSH keys.
type KeyRules struct {
	RSARefused    bool
	RSABits       int // least length; 0: any
	MaxExpiryDays int // 0: keys need not end
}

// Plugin is the state of the webhook plugin.
type Plugin struct {
	Version string
	Enabled bool
}

// Record is the public half of what Vault keeps for a connection.
type Record struct {
	Version                    int       // of the secret: what a check-and-set compares
	Deletes                    time.Time `json:",omitzero"` // when Vault deletes the newest version by itself; zero: never
	Deleted                    string    // the newest version was deleted: how to bring it back; nothing else is known
	Contradiction              *Contradiction
	Fleet                      string
	Address                    string
	Consumer                   *ConsumerKey
	Pending, Current, Previous *Key
	LinkID                     string
	ClientID                   string
	LinkURL                    string      // of the link that was made
	RefusedToken               string      // id of a token that Terraform said does not work
	Authorized                 *Authorized // the OAuth token that was seen to be the service user's
	Retired                    *RetiredKey
	About                      About
	Ended                      string // "" while bbsync keeps the connection: a vault.End... otherwise
	Lease                      *Lease
	MovedFrom                  string // path of the record that this one took over and that is not emptied yet
	Moving                     *Moving
	HostKeys                   string // of Bitbucket's SSH server, learned at first contact: a line each
}

// Contradiction says which field of a record is not what its private keys make it:
// someone other than bbsync wrote it, and nothing is done with its connection.
type Contradiction struct{ Text, Remedy string }

// ConsumerKey is the consumer's pair as recorded.
type ConsumerKey struct {
	PrivateElsewhere bool // the private half is with Terraform alone
	Key              string
	Fingerprint      string
	Created          time.Time
	UserSupplied     bool
	Previous         string // fingerprint of the pair that both sides can go back to; "" for none

	Compromised, PreviousCompromised string // why the pair, or the one before, must not be used any more; "" for one that is trusted
}

// Moving is a wave of workspaces that a run began to move and did not see the
// end of.
type Moving struct {
	From, To string   // ids of the OAuth tokens
	Names    []string // of the workspaces
}

// Authorized is an OAuth token with the account that it was seen to be of.
type Authorized struct {
	Token   string // id
	User    string // as Terraform showed it
	Account int    // Bitbucket's id of the account
}

// RetiredKey is the key that was retired last.
type RetiredKey struct {
	Fingerprint string
	Destroyed   bool // the versions of the record that held it are destroyed
}

// Key is an SSH pair as recorded.
type Key struct {
	PrivateElsewhere bool // the private half is with Terraform alone; then the fingerprint may be unknown, ""
	Fingerprint      string
	Created          time.Time
	Published        time.Time
	Token            string // id of the token it was set on; of a pending key, that it may be set on
	SwitchNoted      bool   // of a pending key: a switch to it is noted in Token before it begins
	Set              time.Time
	UserSupplied     bool
	Proved           time.Time // bbsync's own last login with it, by Bitbucket's clock; zero: none that matters
	Left             time.Time // when Terraform was given another key, by Bitbucket's clock
	Compromised      string    // why it must go at once; "" for a key that is trusted
}

// Lease is held by another run, or is broken.
type Lease struct {
	Holder  string
	Taken   time.Time     // by Vault's clock; zero: not known
	Age     time.Duration // since it was taken; 0: not known
	Expires time.Time     // by our clock
	Broken  bool          // bbsync does not write such a lease: it is not believed
	Break   string        // why the user wants it broken; "" to respect it
}

// Link is an application link.
type Link struct {
	ID, Name, URL string
	Type          string // "generic", or what else it is
}

// OtherLink is an application link on another URL than the wanted one: on
// Terraform's own address, which the vendor's procedure gives to the first
// organization, or where the connection's own link was made.
type OtherLink struct {
	Link        Link
	ConsumerKey string // "" for none
}

// Consumer is the incoming consumer of a link.
type Consumer struct {
	Key, Name, Description string
	Fingerprint            string // of the public key; "" when it does not parse
}

// Client is an OAuth client.
type Client struct {
	ID, Name        string
	Organization    string // as Terraform spells it; "" when it does not say
	Key             string
	Fingerprint     string // of rsa-public-key; "" when it does not parse
	HTTPURL, APIURL string
	ServiceProvider string
	Scoped          bool
	Projects        []string // ids
	AgentPool       string   // id
	ConnectURL      string
	CallbackURL     string
	Created         time.Time
	Token           *Token
}

// Token is the OAuth token of a client.
type Token struct {
	ID        string
	User      string
	HasSSHKey bool
	Created   time.Time
}

// User is a Bitbucket user.
type User struct {
	ID                      int // stays when the account is renamed
	Name, Slug, DisplayName string
	Former                  string // name under which Terraform shows the account's token, from before it was renamed
	Active                  bool
}

// SSHKey is a public key of the service user.
type SSHKey struct {
	ID          int
	Fingerprint string // "" when the line does not parse
	Label       string
	Created     time.Time
	LastUsed    time.Time
	Expires     time.Time // zero: never, or the server does not tell
}

// About is what a record says of its connection besides keys: enough to find
// what was made when no file describes it any more.
type About struct {
	Terraform, Organization, Bitbucket, ServiceUser string // the systems by address
	Protected                                       bool
}

// MovedRecord is a record at another path than the connection's own.
type MovedRecord struct {
	Path   string
	Record *Record
}
