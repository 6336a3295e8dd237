package plan

// This file has the steps of a connection on Bitbucket.

import (
	"fmt"
)

// CreateLink makes the application link, or finds it made.
type CreateLink struct{ URL, Name string }

func (CreateLink) Type() StepType { return StepType{"create_link", "+", "link"} }

func (s CreateLink) String() string {
	return fmt.Sprintf("bitbucket: create application link %q on %s", s.Name, s.URL)
}

// RenameLink renames the application link in place.
type RenameLink struct{ URL, From, To string }

func (RenameLink) Type() StepType { return StepType{"rename_link", "~", "link"} }

func (s RenameLink) String() string {
	return fmt.Sprintf("bitbucket: rename application link %q to %q", s.From, s.To)
}

// DeleteLink deletes the application link with its consumer and, on Bitbucket,
// every token of that consumer.
type DeleteLink struct{ URL, Name, ConsumerKey string }

func (DeleteLink) Type() StepType { return StepType{"delete_link", "-", "link"} }

func (s DeleteLink) String() string {
	return fmt.Sprintf("bitbucket: delete application link %q on %s with consumer %s", s.Name, s.URL, s.ConsumerKey)
}

// SetConsumer puts the record's consumer key and public key into the link.
type SetConsumer struct {
	LinkURL     string
	Name        string
	Fingerprint string // of the public key; "" when the pair does not exist yet
}

func (SetConsumer) Type() StepType { return StepType{"set_consumer", "~", "consumer"} }

func (s SetConsumer) String() string {
	return fmt.Sprintf("bitbucket: set consumer %q in the link to the record's key%s", s.Name, paren(s.Fingerprint))
}

// ProveConsumer asks Bitbucket for a request token, as Terraform will.
type ProveConsumer struct{}

func (ProveConsumer) Type() StepType { return StepType{"prove_consumer", "?", "consumer"} }

func (ProveConsumer) String() string {
	return "bitbucket: prove the consumer with a request token"
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

func (SwapConsumer) Type() StepType { return StepType{"swap_consumer", "~", "rotation"} }

func (s SwapConsumer) String() string {
	return "bitbucket and terraform: change the consumer's pair on both, back to back, and prove it with a request token" + paren(s.Fingerprint)
}

// AddSSHKey adds the public half to the service user.
type AddSSHKey struct {
	Role        Role
	Label       string
	Fingerprint string // "" when the pair does not exist yet
}

func (AddSSHKey) Type() StepType { return StepType{"add_ssh_key", "+", "ssh_key"} }

func (s AddSSHKey) String() string {
	return fmt.Sprintf("bitbucket: add the %s SSH key to the service user%s", s.Role, paren(s.Fingerprint))
}

// DeleteSSHKey deletes a public key from the service user.
type DeleteSSHKey struct {
	ID          int
	Fingerprint string
	User        string `json:",omitempty"` // the user, when it is one that the files named before
}

func (DeleteSSHKey) Type() StepType { return StepType{"delete_ssh_key", "-", "ssh_key"} }

func (s DeleteSSHKey) String() string {
	user := "the service user"
	if s.User != "" {
		user += " before, " + s.User
	}
	return "bitbucket: delete SSH key " + s.Fingerprint + " from " + user
}

// ProveSSH logs in to Bitbucket over SSH; whoami must answer the service user.
type ProveSSH struct{ Role Role }

func (ProveSSH) Type() StepType { return StepType{"prove_ssh", "?", "ssh_key"} }

func (s ProveSSH) String() string {
	return fmt.Sprintf("bitbucket: prove the %s SSH key with whoami over SSH", s.Role)
}

// ProveRefused tries to log in with an SSH key that must not be let in any more.
type ProveRefused struct {
	Role        Role
	Fingerprint string
}

func (ProveRefused) Type() StepType { return StepType{"prove_refused", "?", "rotation"} }

func (s ProveRefused) String() string {
	return "bitbucket: prove over SSH that the key " + s.Fingerprint + " is refused"
}
