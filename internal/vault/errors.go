package vault

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// What can be asked of an error with errors.Is.
var (
	ErrNotFound         = errors.New("not found")                               // no such secret; the mount and the namespace are there
	ErrDeleted          = errors.New("deleted")                                 // the newest version is deleted or destroyed; see DeletedError
	ErrConflict         = errors.New("changed by someone else")                 // check-and-set refused the write
	ErrLeaseLost        = errors.New("lease lost")                              // the record is no longer ours to write
	ErrForbidden        = errors.New("not allowed by the token's policy")       // the token is good, its policy is not enough
	ErrUnauthorized     = errors.New("token or login refused")                  // expired, revoked or wrong
	ErrUnavailable      = errors.New("no usable answer from Vault")             // sealed, overloaded, unreachable, or not Vault at all
	ErrGateway          = errors.New("answered by something in front of Vault") // a firewall, a proxy or a single sign-on
	ErrCached           = errors.New("answered from a cache in front of Vault")
	ErrUnknownOutcome   = errors.New("outcome of the write not known") // the answer was lost and could not be settled
	ErrNoMount          = errors.New("no such mount")
	ErrNoNamespace      = errors.New("no such namespace")
	ErrNotVersioned     = errors.New("not a KV version 2 mount")
	ErrNoField          = errors.New("no such field")
	ErrBadReference     = errors.New("malformed reference")
	errNamespaceIgnored = fmt.Errorf("namespaces are ignored by this server: %w", ErrNoNamespace)
)

// An Error is what went wrong with one request to Vault.
type Error struct {
	Op     string   // "reading"
	Path   string   // as Vault's API has it: mount/data/path
	Status int      // of HTTP; 0 if there was none
	Texts  []string // what Vault said, control characters escaped
	Hint   string   // what to do next
	Kind   error    // one of the sentinels above, or nil
	Cause  error    // what the network said, or nil
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "vault: %s %s", e.Op, clean(e.Path))
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if len(e.Texts) > 0 {
		fmt.Fprintf(&b, ": Vault says %q", strings.Join(e.Texts, "; "))
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// A DeletedError says that a secret's newest version holds nothing. Its version
// counts on: a write must name it.
type DeletedError struct {
	Path      string // mount/path, as the vault command takes it
	Version   Version
	Destroyed bool
}

func (e *DeletedError) Error() string {
	if e.Destroyed {
		return fmt.Sprintf("vault: %s: version %d was destroyed (an older one may be left: vault kv rollback; to begin anew: vault kv metadata delete %[1]s)",
			clean(e.Path), e.Version)
	}
	return fmt.Sprintf("vault: %s: version %d was deleted (vault kv undelete -versions=%[2]d %[1]s brings it back)", clean(e.Path), e.Version)
}

// Unwrap returns ErrDeleted.
func (e *DeletedError) Unwrap() error { return ErrDeleted }

// A LeasedError says that someone else holds the record's lease.
type LeasedError struct {
	Path    string
	Holder  string
	Expires time.Time     // by Vault's clock
	Age     time.Duration // since it was taken; 0: not known
	Left    time.Duration // until it can be taken, unless it is renewed
}

func (e *LeasedError) Error() string {
	return fmt.Sprintf("%s is leased by %s until %s (wait for that run to end; if it died, its lease runs out by itself)",
		clean(e.Path), clean(e.Holder), e.Expires.UTC().Format(time.RFC3339))
}

// mostText is how much of one string of the server an error repeats, in characters.
const mostText = 400

// clean makes a string of the server one harmless line, and shortens it.
func clean(s string) string { return plaintext.Line(plaintext.Cut(strings.TrimSpace(s), mostText)) }

func cleaned(texts []string) []string {
	var out []string
	for _, text := range texts {
		out = append(out, clean(text))
	}
	return out
}
