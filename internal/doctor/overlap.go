package doctor

import (
	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/plan"
)

// errInOverlap says that the login was skipped, because it would look like Terraform's
// first use of the new key: the overlap ends with that, and the old key is retired,
// which Terraform might still hold.
var errInOverlap = fault.New(fault.Conflict, "the old key stays until Bitbucket sees the new one in use, and a login from here would look like that",
	"see rotation, which says how long; repositories is Terraform's own view, and --prove lets it fetch")

// inOverlap reports whether a login with the record's key would end the overlap.
func (f *connectionFacts) inOverlap() bool {
	keys, read := f.record.value.SSH, f.have.Record
	if keys.Previous == nil || f.have.Bitbucket == nil || !f.have.Bitbucket.KeyUsage {
		return false
	}
	same := read != nil && read.Current != nil && read.Current.Fingerprint == keys.Current.Fingerprint
	return !same || !plan.SeenInUse(f.have)
}
