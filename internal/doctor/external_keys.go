package doctor

import "github.com/bbsync/bbsync/internal/fault"

// errPrivateElsewhere says that a check was skipped for want of the private key: for
// a connection created manually only Terraform has it. Nothing is wrong with such a
// connection.
var errPrivateElsewhere = fault.New(fault.Unsupported, "only Terraform has the private key, and never returns it", "")

const (
	ownConsumer = "see authorization and repositories, which Terraform answers; bbsync rotate --consumer makes a pair that Vault has, too"
	ownSSH      = "see repositories, which Terraform answers; bbsync rotate --ssh makes a key that Vault has, too"
)

// missingPrivate says which keys have their private half only in Terraform; "" for none.
func (f *connectionFacts) missingPrivate() string {
	consumer, ssh := f.record.value.Consumer.Private.Empty(), f.record.value.SSH.Current.Private.Empty()
	switch {
	case consumer && ssh:
		return "; only Terraform has the private keys"
	case consumer:
		return "; only Terraform has the private key of the consumer"
	case ssh:
		return "; only Terraform has the private SSH key"
	}
	return ""
}
