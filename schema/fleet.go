// Package schema is bbsync's language: it reads HCL files and returns a Fleet,
// the wanted state, with the place in the files of everything it says. It
// reads files and nothing else: no network, no environment beyond what it is
// given, and never a secret, only where a secret is kept.
package schema

import (
	"time"

	"github.com/hashicorp/hcl/v2"
)

// A Fleet is everything one configuration describes. It is never written to
// after Load.
type Fleet struct {
	Name            string // owner mark of all that bbsync creates
	RequiredVersion string // version constraint on bbsync itself, "" for any
	MaxRemovals     int    // a plan that removes more is refused
	Vault           Vault
	Terraforms      []*Terraform  // in the order of the files
	Bitbuckets      []*Bitbucket  // in the order of the files
	Connections     []*Connection // in the order of the files, for_each expanded in key order (lists: in list order)

	Moved   []Moved
	Removed []Removed

	// Variables are the values of the variables by name, as a plan file records them:
	// what may be a secret, or is long, as "sha256:" and its hash.
	Variables map[string]string

	MaxRemovalsRange hcl.Range
}

// Moved says that what was described as From is now described as To: addresses
// of connections, with no effect on the systems. Load resolves chains and blocks
// with for_each: To is always the address of a connection of the Fleet.
type Moved struct {
	From, To string
	Range    hcl.Range
}

// Removed says that the connection From left the files on purpose and that the
// systems are to stay as they are: bbsync forgets it. From may be the address of
// a whole block, which covers its instances.
type Removed struct {
	From  string
	Range hcl.Range
}

// A SecretRef says where a secret is kept. Exactly one of the fields is set.
type SecretRef struct {
	Vault           string // "mount/path#field" of what answers a read: KV, or an engine that makes credentials
	Env             string // name of an environment variable
	CredentialsFile bool   // the credentials file of `terraform login`
	File            string // a file in PEM, for client certificates and their keys alone
	Range           hcl.Range
}

// Vault says where records are kept and how to log in. Empty fields fall back
// to VAULT_AGENT_ADDR or VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT,
// VAULT_CLIENT_CERT, VAULT_CLIENT_KEY and VAULT_TOKEN as everywhere.
type Vault struct {
	Address   string // https://host[:port], or unix:///path of a socket
	Namespace string
	CAFile    string
	Mount     string // KV version 2; default "secret"
	Path      string // default "bbsync"
	Auth      VaultAuth
	Gateway   Gateway
	Range     hcl.Range
}

// VaultAuth is one login method with its parameters.
type VaultAuth struct {
	Method      string // "token" (default), "approle", "kubernetes", "jwt", "userpass", "agent": a Vault Agent or Proxy adds its token
	Mount       string // where the method is mounted; default: the method's name
	Role        string // kubernetes, jwt
	TokenFile   string // kubernetes, jwt: file with the identity token
	TokenEnv    string // token, jwt
	RoleIDEnv   string // approle
	SecretIDEnv string // approle
	Wrapped     bool   // approle: the secret id is a response-wrapping token
	Username    string // userpass
	PasswordEnv string // userpass
	Range       hcl.Range
}

// Terraform is one HCP Terraform or Terraform Enterprise host with the
// credential used for it.
type Terraform struct {
	Label     string
	Address   string // https://host[:port], no path
	CAFile    string
	Token     SecretRef
	RateLimit float64 // requests per second where the server names no limit; 0 for none
	Gateway   Gateway
	Range     hcl.Range
}

// Bitbucket is one Bitbucket Server or Data Center with its administrator.
type Bitbucket struct {
	Label           string
	URL             string // canonical: lower-case scheme and host, default port dropped, no trailing slash
	CAFile          string
	Admin           Admin
	SSH             SSHServer
	ServiceProvider string  // "" for: by version
	RateLimit       float64 // requests per second; 0 for none
	WebhookPlugin   WebhookPlugin
	Gateway         Gateway
	KnownSSHKeys    []string // of service users, and not this fleet's: fingerprints, or labels that may end in *
	Range           hcl.Range
}

// Admin is the Bitbucket administrator that bbsync acts as. Application links
// need a global ADMIN, and take no HTTP access token.
type Admin struct {
	Username string
	Password *SecretRef // nil: OAuth alone
	TOTP     *SecretRef // secret of the second factor (RFC 6238); nil: none
	OAuth    bool       // requests are signed by OAuth 1.0a, with the login at Login
	Login    string     // path of the OAuth login below Vault.Path: <fleet>/logins/<bitbucket host>
}

// SSHServer overrides what Bitbucket says of its SSH server.
type SSHServer struct {
	Host     string   // "" for: from Bitbucket's settings
	Port     int      // 0 for: from Bitbucket's settings
	HostKeys []string // authorized_keys lines without options or comment; none: learned once for all connections of the Bitbucket
}

// WebhookPlugin concerns Bitbucket before 5.4 only.
type WebhookPlugin struct {
	Install bool   // bbsync may install it
	URL     string // of the artefact
}

// A Connection is one organization joined to one Bitbucket.
type Connection struct {
	Address      string // connection.team, or connection.team["acme"] with for_each
	Block        string // label of the block, "team"
	Key          string // of the instance, "acme"; "" without for_each
	Terraform    *Terraform
	Organization string
	Bitbucket    *Bitbucket
	ServiceUser  string
	Name         string     // of the OAuth client in Terraform
	Token        *SecretRef // a credential of this organization alone; nil: the Terraform's

	SSHKey   SSHKey
	Consumer Consumer
	Link     ApplicationLink
	Grants   []Grant

	OrganizationScoped bool     // default true
	Projects           []string // names of the Terraform projects that may use the client when not organization-scoped
	AgentPool          string   // name of the agent pool for private VCS, "" for none
	ServiceProvider    string   // "" for: the Bitbucket's

	Maintenance *Maintenance // when keys may rotate by age; nil: at any time
	Relocate    *Relocate    // the Bitbucket whose workspaces come here; nil: none

	Record  string // path of the record below Vault.Path; default <fleet>/<terraform host>/<organization in lower case>/<bitbucket host>, ports and context path joined to the host with "-"
	Protect bool   // never remove
	Adopt   bool   // take over what is already there and not ours
	Range   hcl.Range
	written *node // nil: made up by a test
}

// Where returns the place of an attribute ("name", "ssh_key.rotate_after") or of
// a block ("ssh_key"), or of the connection's block where it was left out.
func (c *Connection) Where(name string) hcl.Range {
	if c.written != nil {
		if r, ok := c.written.place(name); ok {
			return r
		}
	}
	return c.Range
}

// SSHKey describes the service user's key pair of a connection.
type SSHKey struct {
	Bits        int           // default 3072
	RotateAfter time.Duration // 0: never by age
	Overlap     time.Duration // how long the old key stays after a switch; default 24h
	Private     *SecretRef    // a key the user brings; nil: bbsync makes one
}

// Consumer describes the OAuth consumer's RSA pair of a connection.
type Consumer struct {
	Bits        int
	Name        string        // shown on Bitbucket's Allow page; default: the link's name
	RotateAfter time.Duration // 0: never by age
	Private     *SecretRef    // a key the user brings; nil: bbsync makes one
	Key         string        // consumer key that goes with Private; "" for: made by bbsync
}

// ApplicationLink describes Bitbucket's link to Terraform.
type ApplicationLink struct {
	URL  string // resolved: https://host for "main", https://host/app/<organization in lower case> for "organization", or as written
	Name string // default "Terraform Cloud (<organization>)"
}

// A Grant is a permission the service user must have, effectively, on a project
// or a repository. Repository is "" for the whole project.
type Grant struct {
	Project    string // project key, upper case as Bitbucket keeps it; "~user" for a personal one
	Repository string // slug, lower case
	Permission string // REPO_ADMIN, PROJECT_ADMIN, REPO_WRITE, ...
	Range      hcl.Range
}

// Relocate takes the organization's workspaces over from the OAuth clients that
// it has for another Bitbucket, or for the same one under another URL.
type Relocate struct {
	From  *Bitbucket
	First int // workspaces that go ahead of the others; 0: none
	Wave  int // workspaces at a time after that
	Range hcl.Range
}

// Maintenance is when rotation may happen.
type Maintenance struct {
	Schedule string // five fields of cron: when the window opens
	Duration time.Duration
	TimeZone string // IANA name, default UTC
	Range    hcl.Range
}
