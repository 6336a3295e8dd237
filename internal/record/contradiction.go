package record

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/secret"
)

// ErrContradiction says that a record's public half or fingerprint does not belong
// to its private half; see ContradictionError.
var ErrContradiction = fault.New(fault.Untrusted, "the record contradicts its private key", "find out who wrote it, and restore an earlier version")

// A ContradictionError says which field of a record contradicts the private key
// beside it. bbsync never writes such a record: someone changed it in Vault, and
// nothing it says about its keys can be trusted.
type ContradictionError struct {
	Path  string // mount/path, as the vault command takes it; the reader of the record fills it in
	Field string
	Why   string
}

func (e *ContradictionError) Error() string {
	cause, _ := e.Explain()
	return cause
}

// Explain implements fault.Explainer.
func (e *ContradictionError) Explain() (cause, fix string) {
	path := plaintext.Line(e.Path)
	return fmt.Sprintf("vault: %s: field %s %s", path, e.Field, e.Why),
		fmt.Sprintf("someone other than bbsync wrote this record: find out who (Vault's audit log; vault kv metadata get %[1]s), "+
			"restore an earlier version (vault kv rollback -version=N %[1]s), run bbsync doctor, and rotate the keys", path)
}

// Unwrap returns ErrContradiction.
func (e *ContradictionError) Unwrap() error { return ErrContradiction }

// deriveKeys derives public halves and fingerprints from the private keys. It fills
// in missing fields. The first field that differs is a ContradictionError.
func (r *Record) deriveKeys() error {
	for c, prefix := r.Consumer, "consumer_"; c != nil; c, prefix = c.Previous, prefix+"previous_" {
		pair := keyPair{prefix, c.Private, &c.Public, &c.Fingerprint, keys.DeriveConsumer, keys.PublicFingerprint}
		if err := pair.check(); err != nil {
			return err
		}
	}
	for _, stored := range r.SSH.all() {
		if k := *stored.key; k != nil {
			pair := keyPair{stored.prefix, k.Private, &k.Public, &k.Fingerprint, keys.DeriveSSH, keys.SSHFingerprint}
			if err := pair.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// A keyPair is what a record says of one key pair.
type keyPair struct {
	prefix              string // of the fields
	private             secret.Text
	public, fingerprint *string

	derive          func(private secret.Text) (keys.Pair, error)
	fingerprintFrom func(public string) (string, error)
}

func (p keyPair) check() error {
	if p.private.Empty() {
		return p.checkPublic()
	}
	want, err := p.derive(p.private)
	switch {
	case err != nil:
		return p.contradiction("private", "is not a private key that bbsync can read")
	case *p.public == "":
		*p.public = want.Public
	case !samePublic(*p.public, want.Public):
		return p.contradiction("public", "is not the public half of "+p.prefix+"private, whose fingerprint is "+want.Fingerprint)
	}
	if *p.fingerprint != "" && *p.fingerprint != want.Fingerprint {
		return p.contradiction("fingerprint", "is not the fingerprint of "+p.prefix+"private, which is "+want.Fingerprint)
	}
	*p.fingerprint = want.Fingerprint
	return nil
}

// checkPublic compares the two fields of a pair whose private half only Terraform
// has. Nothing can be derived, and neither field is published.
func (p keyPair) checkPublic() error {
	if *p.public == "" || *p.fingerprint == "" {
		return nil
	}
	if have, err := p.fingerprintFrom(*p.public); err != nil || have != *p.fingerprint {
		return p.contradiction("fingerprint", "is not the fingerprint of "+p.prefix+"public")
	}
	return nil
}

func (p keyPair) contradiction(field, why string) error {
	return &ContradictionError{Field: p.prefix + field, Why: why}
}

// samePublic reports whether a public half is the derived one. An SSH key may have a
// comment after it.
func samePublic(have, derived string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(have), strings.TrimSpace(derived))
	return ok && (rest == "" || rest[0] == ' ' && !strings.ContainsAny(rest, "\r\n"))
}
