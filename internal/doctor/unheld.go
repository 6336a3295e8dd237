package doctor

import "errors"

// errUnheld stands for a question that takes a private key which Vault has not:
// of a connection that people made by hand Terraform alone holds it. Nothing is
// wrong with such a connection, and nothing is asked with an empty key.
var errUnheld = errors.New("only Terraform holds the private half, and it shows it to nobody")

const (
	ownConsumer = "see authorization and repositories, which Terraform answers; bbsync rotate --consumer makes a pair that Vault has, too"
	ownSSH      = "see repositories, which Terraform answers; bbsync rotate --ssh makes a key that Vault has, too"
)

// halves says which keys of the record have no private half there, "" for none.
func (f *connectionFacts) halves() string {
	consumer, ssh := f.record.value.Consumer.Private.Empty(), f.record.value.SSH.Current.Private.Empty()
	switch {
	case consumer && ssh:
		return "; of both only Terraform holds the private half"
	case consumer:
		return "; of the consumer key only Terraform holds the private half"
	case ssh:
		return "; of the SSH key only Terraform holds the private half"
	}
	return ""
}
