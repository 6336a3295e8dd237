package plan

import (
	"fmt"

	"github.com/bbsync/bbsync/internal/names"
)

// A Step is one idempotent write to, or proof on, one system. With the Target
// of its plan it is complete: carrying it out takes the systems and nothing
// else. It holds no secret; a key is named by its role in the record. Its
// String is the only text that shows it.
//
//sumtype:decl
type Step interface {
	fmt.Stringer
	// Kind names the type of step for machines: create_link.
	Kind() string
	// Symbol is + for what is made, ~ for what is changed, - for what is
	// removed, ? for a proof, ! for what a person must do.
	Symbol() string
	// effect changes the world as the step does: nothing in it that was there before is
	// written to, but copied.
	effect(w *World)
}

// A Role is the place of an SSH key in the record.
type Role string

// The roles of an SSH key.
const (
	Pending  Role = "pending"
	Current  Role = "current"
	Previous Role = "previous"
)

// CreateConsumerKey puts the consumer's key and RSA pair into the record.
type CreateConsumerKey struct {
	Key   string // the consumer key to keep, of what is adopted or brought; "": a new one
	Bits  int    // of a new pair
	From  string // where in Vault or the environment the user's own pair is; "": made by bbsync
	Again bool   // the record has a pair already, which stays as the one to go back to
	// Client is the id of an OAuth client that is taken over: the record names it from
	// then on, as what else tells that it is the connection's may be deleted next.
	Client string `json:",omitempty"`
	// Reason says why the pair before must not be used any more; "" for a rotation
	// without an emergency.
	Reason string `json:",omitempty"`
}

// CreateSSHKey puts an SSH pair into the record, in a role that is empty.
type CreateSSHKey struct {
	Role    Role
	Bits    int
	Comment string
	From    string // where the user's own key is; "": made by bbsync
}

// CreateLink makes the application link, or finds it made.
type CreateLink struct{ URL, Name string }

// RenameLink renames the application link in place.
type RenameLink struct{ URL, From, To string }

// DeleteLink deletes the application link with its consumer and, on Bitbucket,
// every token of that consumer.
type DeleteLink struct{ URL, Name, ConsumerKey string }

// SetConsumer puts the record's consumer key and public key into the link.
type SetConsumer struct {
	LinkURL     string
	Name        string
	Fingerprint string // of the public key; "" when the pair does not exist yet
}

// ProveConsumer asks Bitbucket for a request token, as Terraform will.
type ProveConsumer struct{}

// CreateClient makes the OAuth client, or finds it made by its consumer key.
type CreateClient struct {
	Name            string
	HTTPURL, APIURL string
	ServiceProvider string
	Scoped          bool     // every project of the organization may use it
	Projects        []string // names, when not Scoped
	AgentPool       string
}

// UpdateClient changes the OAuth client in place. A nil or false field stays.
type UpdateClient struct {
	ID        string
	Name      *string
	Keys      bool // consumer key and pair from the record
	Scoped    *bool
	Projects  *[]string
	AgentPool *string
}

// DeleteClient deletes an OAuth client and its tokens, which unlinks every
// workspace that uses them. What becomes of others that do is not documented.
type DeleteClient struct {
	ID, Name   string
	Why        string
	Unlinks    int      `json:",omitempty"` // workspaces, as counted when it was planned
	Workspaces []string `json:",omitempty"` // names, as far as they are known
	Others     []string `json:",omitempty"` // what else uses them: policy set "baseline"
}

// AddSSHKey adds the public half to the service user.
type AddSSHKey struct {
	Role        Role
	Label       string
	Fingerprint string // "" when the pair does not exist yet
}

// DeleteSSHKey deletes a public key from the service user.
type DeleteSSHKey struct {
	ID          int
	Fingerprint string
	User        string `json:",omitempty"` // the user, when it is one that the files named before
}

// ProveSSH logs in to Bitbucket over SSH; whoami must answer the service user.
type ProveSSH struct{ Role Role }

// Authorize is the one step that a person does: click Allow as the service
// user.
type Authorize struct {
	Client string // the OAuth client's name
	User   string // who must be logged in to Bitbucket
	Again  bool   // there is a token already, which does not work
}

// SetTokenKey gives Terraform the private half.
type SetTokenKey struct {
	Role        Role
	Fingerprint string
}

// CondemnKeys notes in the record that these SSH keys must go at once, and why:
// whoever goes on after a crash knows.
type CondemnKeys struct {
	Fingerprints []string
	Consumer     string `json:",omitempty"` // fingerprint of the consumer's pair that must go, too
	Reason       string
}

// RestageKey makes the previous SSH key the pending one.
type RestageKey struct{ Fingerprint string }

// SwitchKey gives Terraform the pending SSH key, which becomes the current one;
// the one before becomes the previous.
type SwitchKey struct {
	Fingerprint string // "" when the pair does not exist yet
	NoToken     bool   // the service user has no OAuth token yet: only the record changes
}

// ProveRefused tries to log in with an SSH key that must not be let in any more.
type ProveRefused struct {
	Role        Role
	Fingerprint string
}

// RetireKey drops an SSH key from the record and destroys the record's versions
// that held it. It is on no system any more.
type RetireKey struct {
	Role        Role
	Fingerprint string
}

// SwapConsumer changes the consumer's public key on Bitbucket and the pair on
// Terraform to the record's, back to back, and proves it with a request token.
// When that fails the pair before is put back on both and in the record.
type SwapConsumer struct {
	LinkURL     string
	Name        string
	ClientID    string `json:",omitempty"` // "": that of a client which is created in the same plan
	Fingerprint string // of the public key; "" when the pair does not exist yet
}

// RetireConsumer drops the consumer's pair before from the record and destroys
// the record's versions that held it.
type RetireConsumer struct{}

// ProveRepositories asks Terraform which repositories it sees, where its
// version can tell.
type ProveRepositories struct{ Repositories []string } // PROJECT/slug

// MoveWorkspaces has workspaces use this connection's OAuth token in place of
// another client's, and waits for Terraform to fetch their repositories with it.
// When one cannot be fetched, those of the wave go back.
type MoveWorkspaces struct {
	From     string // id of the OAuth client that they use
	Wave, Of int
	Canary   bool
	Names    []string
}

// ProveFetched looks whether Terraform fetched the repositories of workspaces
// that were moved by a run that did not see the end of it. When one could not be
// fetched, all of them go back.
type ProveFetched struct {
	Back  string // id of the OAuth client that they go back to; "": it is gone, and they stay
	Names []string
}

// GrantPermission gives a service user a permission. It belongs to the
// Bitbucket, not to a connection.
type GrantPermission struct{ User, Project, Repository, Permission string }

// Key returns the permission as maps have it: the user however it is spelled.
func (s GrantPermission) Key() GrantPermission {
	s.User = names.UserKey(s.User)
	return s
}

// RemoveUnknownKey deletes an SSH key of a service user that no record of the fleet
// knows, nor the configuration.
type RemoveUnknownKey struct {
	User        string
	ID          int
	Fingerprint string
	Label       string
}

// InstallPlugin installs the webhook plugin (Bitbucket before 5.4).
type InstallPlugin struct{ Key, URL string }

// EnablePlugin enables the webhook plugin (Bitbucket before 5.4).
type EnablePlugin struct{ Key string }

// EnableHook enables the webhook plugin's hook in a repository (Bitbucket
// before 5.4).
type EnableHook struct{ Project, Repository, Key string }

func (CreateConsumerKey) Symbol() string { return "+" }
func (CreateSSHKey) Symbol() string      { return "+" }
func (CreateLink) Symbol() string        { return "+" }
func (RenameLink) Symbol() string        { return "~" }
func (DeleteLink) Symbol() string        { return "-" }
func (SetConsumer) Symbol() string       { return "~" }
func (ProveConsumer) Symbol() string     { return "?" }
func (CreateClient) Symbol() string      { return "+" }
func (UpdateClient) Symbol() string      { return "~" }
func (DeleteClient) Symbol() string      { return "-" }
func (AddSSHKey) Symbol() string         { return "+" }
func (DeleteSSHKey) Symbol() string      { return "-" }
func (ProveSSH) Symbol() string          { return "?" }
func (Authorize) Symbol() string         { return "!" }
func (SetTokenKey) Symbol() string       { return "~" }
func (CondemnKeys) Symbol() string       { return "~" }
func (RestageKey) Symbol() string        { return "~" }
func (SwitchKey) Symbol() string         { return "~" }
func (ProveRefused) Symbol() string      { return "?" }
func (RetireKey) Symbol() string         { return "-" }
func (SwapConsumer) Symbol() string      { return "~" }
func (RetireConsumer) Symbol() string    { return "-" }
func (ProveRepositories) Symbol() string { return "?" }
func (MoveWorkspaces) Symbol() string    { return "~" }
func (ProveFetched) Symbol() string      { return "?" }
func (GrantPermission) Symbol() string   { return "+" }
func (RemoveUnknownKey) Symbol() string  { return "-" }
func (InstallPlugin) Symbol() string     { return "+" }
func (EnablePlugin) Symbol() string      { return "~" }
func (EnableHook) Symbol() string        { return "~" }
