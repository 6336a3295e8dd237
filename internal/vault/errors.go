package vault

import (
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/plaintext"
)

// What can go wrong, for errors.Is, and how to fix each.
var (
	// ErrNotFound says that the mount and the namespace are there, and the secret is not.
	ErrNotFound = fault.New(fault.Missing, "not found", "correct the path, or write the secret")
	// ErrDeleted says that the newest version is deleted or destroyed; see DeletedError.
	ErrDeleted = fault.New(fault.Deleted, "deleted", "vault kv undelete, or vault kv rollback")
	// ErrConflict says that check-and-set refused the write.
	ErrConflict = fault.New(fault.Conflict, "changed by someone else", "read it again")
	// ErrLeased says that another run is working on the connection; see LeasedError.
	ErrLeased = fault.New(fault.Leased, "leased", "wait for that run to end; if it died, its lease expires by itself")
	// ErrLeaseLost says that the record is no longer ours to write.
	ErrLeaseLost = fault.New(fault.LeaseLost, "lease lost", "run again: the next run continues where this one stopped")
	// ErrForbidden says that the token is good and its policy is not enough.
	ErrForbidden = fault.New(fault.Forbidden, "not allowed by the token's policy", "docs/vault-policy.hcl is the policy that bbsync needs")
	// ErrUnauthorized says that the token or login is wrong, expired or revoked.
	ErrUnauthorized = fault.New(fault.CredentialRefused, "token or login refused",
		"check the credentials, and that the auth method is enabled there")
	// ErrUnavailable says that Vault is sealed, overloaded or unreachable.
	ErrUnavailable = fault.New(fault.Unavailable, "no usable answer from Vault", "try again; vault status tells more")
	ErrSealed      = fault.Under(ErrUnavailable, fault.Unavailable, "no usable answer from Vault", "Vault is sealed: vault operator unseal")
	ErrRateLimited = fault.Under(ErrUnavailable, fault.RateLimited, "no usable answer from Vault",
		"a rate limit quota of Vault is exceeded: a lower --parallelism, or a higher quota")
	ErrBrokenAnswer = fault.Under(ErrUnavailable, fault.BrokenAnswer, "no usable answer from Vault",
		"the answer is not Vault's: it has another shape, or was cut short; is there a proxy in between?")
	// ErrGateway is an answer of a firewall, a proxy or a single sign-on.
	ErrGateway = fault.New(fault.Gateway, "answered by something in front of Vault", "let bbsync's requests pass through what is in front of Vault")
	ErrCached  = fault.New(fault.Gateway, "answered from a cache in front of Vault",
		"records must be read as they are now: switch cache_static_secrets off, or exclude the records' mount from the cache")
	// ErrUnknownOutcome is a lost answer that could not be settled.
	ErrUnknownOutcome = fault.New(fault.UnknownOutcome, "outcome of the write not known",
		"the record may or may not be written; run again, the next run reads it first")
	ErrNoMount      = fault.New(fault.Misconfigured, "no such mount", "vault secrets list shows those that are there")
	ErrNoNamespace  = fault.New(fault.Misconfigured, "no such namespace", "correct the namespace, or check the address")
	ErrNotVersioned = fault.New(fault.Misconfigured, "not a KV version 2 mount", "use a KV version 2 mount; vault kv enable-versioning converts one")
	ErrNoField      = fault.New(fault.Misconfigured, "no such field", "")
	ErrBadReference = fault.New(fault.Misconfigured, "malformed reference", "")

	errNamespaceIgnored = fault.Under(ErrNoNamespace, fault.Misconfigured, "namespaces are ignored by this server: no such namespace",
		"this Vault has no namespaces; take the namespace out, or check the address")
)

// An Error is what went wrong with one request to Vault.
type Error struct {
	Op     string   // "reading"
	Path   string   // as Vault's API has it: mount/data/path
	Status int      // of HTTP; 0 if there was none
	Texts  []string // what Vault said, control characters escaped
	Hint   string   // what to do next; "" if the kind says enough
	Kind   error    // one of the faults above, or nil
	Cause  error    // what the network said, or nil
}

func (e *Error) Error() string { return fault.Text(e, e.Kind) }

// Explain implements fault.Explainer.
func (e *Error) Explain() (cause, fix string) {
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
	return b.String(), e.Hint
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
	cause, fix := e.Explain()
	return cause + " (" + fix + ")"
}

// Explain implements fault.Explainer.
func (e *DeletedError) Explain() (cause, fix string) {
	path := clean(e.Path)
	if e.Destroyed {
		return fmt.Sprintf("vault: %s: version %d was destroyed", path, e.Version),
			fmt.Sprintf("an older one may be left: vault kv rollback; to begin again: vault kv metadata delete %s", path)
	}
	return fmt.Sprintf("vault: %s: version %d was deleted", path, e.Version),
		fmt.Sprintf("vault kv undelete -versions=%d %s brings it back", e.Version, path)
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
	cause, fix := e.Explain()
	return cause + " (" + fix + ")"
}

// Explain implements fault.Explainer.
func (e *LeasedError) Explain() (cause, fix string) {
	return fmt.Sprintf("%s is leased by %s until %s", clean(e.Path), clean(e.Holder), e.Expires.UTC().Format(time.RFC3339)), fault.Fix(ErrLeased)
}

// Unwrap returns ErrLeased.
func (e *LeasedError) Unwrap() error { return ErrLeased }

// broken is the error of a response of another shape than documented.
func broken(req request, have response) error {
	return &Error{Op: req.op, Path: req.path, Status: have.status, Texts: have.errors, Kind: ErrBrokenAnswer}
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
