package doctor

import (
	"errors"

	"github.com/bbsync/bbsync/internal/plan"
)

// errSoaks stands for a login that would be mistaken. While the SSH key before soaks,
// Bitbucket having seen the current one is taken for Terraform's use of it: the old
// key is retired then. A login of the doctor's own, which writes nothing down, would
// look the same, and Terraform might still hold the old key.
var errSoaks = errors.New("the key before soaks until Bitbucket sees this one in use, and a login from here would be taken for that")

// soaks reports whether a login with the record's key would bring the soak to its end.
func (f *connectionFacts) soaks() bool {
	keys, read := f.record.value.SSH, f.have.Record
	if keys.Previous == nil || f.have.Bitbucket == nil || !f.have.Bitbucket.KeyUsage {
		return false
	}
	same := read != nil && read.Current != nil && read.Current.Fingerprint == keys.Current.Fingerprint
	return !same || !plan.SeenInUse(f.have)
}
