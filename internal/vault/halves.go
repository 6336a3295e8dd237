package vault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
)

// ErrKeyDiffers says that a record's public half or fingerprint is not the one
// that its private half makes; see KeyError.
var ErrKeyDiffers = errors.New("the record contradicts its private key")

// A KeyError says which field of a record contradicts the private key beside it.
// bbsync never writes such a record: someone changed it in Vault, and what it says
// of its keys cannot be relied on.
type KeyError struct {
	Path  string // mount/path, as the vault command takes it
	Field string
	Why   string
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("vault: %s: field %s %s", clean(e.Path), e.Field, e.Why)
}

// Remedy says what to do about it.
func (e *KeyError) Remedy() string {
	return fmt.Sprintf("someone other than bbsync wrote this record: find out who (Vault's audit log; vault kv metadata get %[1]s), "+
		"restore an earlier version (vault kv rollback -version=N %[1]s), run bbsync doctor, and rotate the keys", clean(e.Path))
}

// Unwrap returns ErrKeyDiffers.
func (e *KeyError) Unwrap() error { return ErrKeyDiffers }

// deriveKeys derives the public halves and fingerprints of a record that was read
// from its private keys. Fields that are missing are filled in; the first that
// differs is a KeyError without a path.
func (r *Record) deriveKeys() error {
	for c, prefix := r.Consumer, "consumer_"; c != nil; c, prefix = c.Previous, prefix+"previous_" {
		h := half{prefix, c.Private, &c.Public, &c.Fingerprint, keys.DeriveConsumer, keys.PublicFingerprint}
		if err := h.derive(); err != nil {
			return err
		}
	}
	for i, k := range []*SSHKey{r.SSH.Pending, r.SSH.Current, r.SSH.Previous} {
		if k == nil {
			continue
		}
		prefix := [...]string{"ssh_pending_", "ssh_current_", "ssh_previous_"}[i]
		h := half{prefix, k.Private, &k.Public, &k.Fingerprint, keys.DeriveSSH, keys.SSHFingerprint}
		if err := h.derive(); err != nil {
			return err
		}
	}
	return nil
}

// A half is what a record says of the public half of one key pair.
type half struct {
	prefix              string // of the fields
	private             secret.Text
	public, fingerprint *string

	pair func(private secret.Text) (keys.Pair, error)
	name func(public string) (fingerprint string, err error)
}

func (h half) derive() error {
	if h.private.Empty() {
		return h.unheld()
	}
	want, err := h.pair(h.private)
	switch {
	case err != nil:
		return &KeyError{Field: h.prefix + "private", Why: "is not a private key that bbsync can read"}
	case *h.public == "":
		*h.public = want.Public
	case !samePublic(*h.public, want.Public):
		return &KeyError{Field: h.prefix + "public", Why: "is not the public half of " + h.prefix + "private, whose fingerprint is " + want.Fingerprint}
	}
	if *h.fingerprint != "" && *h.fingerprint != want.Fingerprint {
		return &KeyError{Field: h.prefix + "fingerprint", Why: "is not that of " + h.prefix + "private, which is " + want.Fingerprint}
	}
	*h.fingerprint = want.Fingerprint
	return nil
}

// unheld compares the two fields of a key whose private half is with Terraform
// alone. Nothing can be derived, and nothing of it is published.
func (h half) unheld() error {
	if *h.public == "" || *h.fingerprint == "" {
		return nil
	}
	if have, err := h.name(*h.public); err != nil || have != *h.fingerprint {
		return &KeyError{Field: h.prefix + "fingerprint", Why: "is not that of " + h.prefix + "public"}
	}
	return nil
}

// samePublic reports whether a public half is the one that was derived. An SSH key
// may have a comment after it.
func samePublic(have, derived string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(have), strings.TrimSpace(derived))
	return ok && (rest == "" || rest[0] == ' ' && !strings.ContainsAny(rest, "\r\n"))
}
