package plan

// This file has the steps on the record in Vault.

import (
	"cmp"
	"fmt"
	"strings"
	"time"
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

func (CreateConsumerKey) Type() StepType { return StepType{"create_consumer_key", "+", "record"} }

func (s CreateConsumerKey) String() string {
	switch {
	case s.From != "":
		return "vault: take the consumer's RSA pair from " + s.From
	case s.Again && s.Reason != "":
		return fmt.Sprintf("vault: make a new RSA pair of %d bits for consumer key %s; the one before is compromised: %s", s.Bits, s.Key, s.Reason)
	case s.Again:
		return fmt.Sprintf("vault: make a new RSA pair of %d bits for consumer key %s", s.Bits, s.Key)
	case s.Key != "":
		return fmt.Sprintf("vault: make an RSA pair of %d bits and take over consumer key %s", s.Bits, s.Key)
	}
	return fmt.Sprintf("vault: make a consumer key and an RSA pair of %d bits", s.Bits)
}

// CreateSSHKey puts an SSH pair into the record, in a role that is empty.
type CreateSSHKey struct {
	Role    Role
	Bits    int
	Comment string
	From    string // where the user's own key is; "": made by bbsync
}

func (CreateSSHKey) Type() StepType { return StepType{"create_ssh_key", "+", "record"} }

func (s CreateSSHKey) String() string {
	switch {
	case s.From != "" && s.Role == Current:
		return "vault: take the SSH pair from " + s.From
	case s.From != "":
		return fmt.Sprintf("vault: take the SSH pair from %s (%s)", s.From, s.Role)
	}
	return fmt.Sprintf("vault: make an SSH pair of %d bits (%s)", s.Bits, s.Role)
}

// MarkCompromised notes in the record that these SSH keys must go at once, and why:
// the next run knows after a crash.
type MarkCompromised struct {
	Fingerprints []string
	Consumer     string `json:",omitempty"` // fingerprint of the consumer's pair that must go, too
	Reason       string
}

func (MarkCompromised) Type() StepType { return StepType{"mark_compromised", "~", "rotation"} }

func (s MarkCompromised) String() string {
	var parts []string
	if len(s.Fingerprints) > 0 {
		parts = append(parts, "the SSH keys "+list(s.Fingerprints))
	}
	if s.Consumer != "" {
		parts = append(parts, "the consumer's pair "+s.Consumer)
	}
	return fmt.Sprintf("vault: mark %s as compromised: %s", strings.Join(parts, " and "), s.Reason)
}

// RestageKey makes the previous SSH key the pending one.
type RestageKey struct{ Fingerprint string }

func (RestageKey) Type() StepType { return StepType{"restage_key", "~", "rotation"} }

func (s RestageKey) String() string {
	return "vault: stage the previous SSH key again (" + s.Fingerprint + ")"
}

// RetireKey drops an SSH key from the record and destroys the record's versions
// that held it. It is on no system any more.
type RetireKey struct {
	Role        Role
	Fingerprint string
}

func (RetireKey) Type() StepType { return StepType{"retire_key", "-", "rotation"} }

func (s RetireKey) String() string {
	return fmt.Sprintf("vault: drop the %s SSH key and destroy the versions that hold it%s", s.Role, paren(s.Fingerprint))
}

// RetireConsumer drops the consumer's pair before from the record and destroys
// the record's versions that held it.
type RetireConsumer struct{}

func (RetireConsumer) Type() StepType { return StepType{"retire_consumer", "-", "rotation"} }

func (RetireConsumer) String() string {
	return "vault: drop the consumer's pair before and destroy the versions that hold it"
}

// NoteConnection notes in the record what the files say of the connection: its
// address, and whether it is protected. A connection that was forgotten is kept
// again from then on.
type NoteConnection struct {
	Address string
	Protect bool
	// ServiceUser is the user whose SSH keys they are from now on; "": as it is noted.
	ServiceUser string `json:",omitempty"`
	MovedFrom   string `json:",omitempty"` // path of a record that was taken over and has ended: the note of it goes
}

func (NoteConnection) Type() StepType { return StepType{"note_connection", "~", "record"} }

func (s NoteConnection) String() string {
	text := "vault: note that the connection is described at " + s.Address
	if s.Protect {
		text += " and is protected"
	}
	if s.ServiceUser != "" {
		text += ", and that its SSH keys are those of " + s.ServiceUser
	}
	if s.MovedFrom != "" {
		text += ", and that its record does not have to be moved from " + s.MovedFrom + " any more"
	}
	return text
}

// MoveRecord takes a connection's record over from the path that it had under
// another address or organization, empties that one, and destroys its versions.
type MoveRecord struct {
	From, To    string // paths in Vault
	Address     string // that the connection had
	Basis       string // what the record at From said when it was planned
	Before      string // path that From took over and that is not emptied yet; "" for none
	BeforeBasis string `json:",omitempty"` // what the record at Before said
}

func (MoveRecord) Type() StepType { return StepType{"move_record", "-", "record"} }

func (s MoveRecord) String() string {
	text := fmt.Sprintf("vault: move the record of %s from %s to %s, empty the old one and destroy its versions", s.Address, s.From, s.To)
	if s.Before != "" {
		text += "; the same with " + s.Before + ", from where it was moved before"
	}
	return text
}

// ForgetRecord notes in the record that the connection is left as it is and is
// not bbsync's any more.
type ForgetRecord struct{}

func (ForgetRecord) Type() StepType { return StepType{"forget_record", "~", "record"} }

func (ForgetRecord) String() string {
	return "vault: note that the connection is not kept any more; the systems stay as they are"
}

// RetireRecord empties the record of its keys, notes that the connection was
// removed, and destroys the versions that held the keys.
type RetireRecord struct{}

func (RetireRecord) Type() StepType { return StepType{"retire_record", "-", "record"} }

func (RetireRecord) String() string {
	return "vault: empty the record of its keys and destroy the versions that held them"
}

// BreakLease takes the lease of a connection from another run, which cannot write
// the record from then on, or replaces a lease that no run wrote.
type BreakLease struct {
	Holder string
	Taken  time.Time
	Why    string
}

func (BreakLease) Type() StepType { return StepType{"break_lease", "~", "record"} }

func (s BreakLease) String() string {
	return fmt.Sprintf("vault: break the lease of %s: %s", cmp.Or(s.Holder, "none"), s.Why)
}
