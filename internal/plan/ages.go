package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/schema"
)

// The kinds of keys that have an Age.
const (
	ServiceKey   = "ssh_key"
	ConsumerPair = "consumer_pair"
)

// An Age is what there is to know of a key's time: how old it is, when it is due
// and why, how long it stays.
type Age struct {
	Key          string        `json:"key"`  // ServiceKey or ConsumerPair
	Role         Role          `json:"role"` // of the SSH key; Current for the consumer's pair
	Fingerprint  string        `json:"fingerprint"`
	Created      time.Time     `json:"created"`
	Age          time.Duration `json:"-"`
	Due          time.Time     `json:"due,omitzero"`           // zero: not by age
	Overdue      time.Time     `json:"-"`                      // from when on no maintenance window holds it back
	Why          string        `json:"why,omitempty"`          // what makes it due, or why it never is
	Expires      time.Time     `json:"expires,omitzero"`       // by the server's own rule
	LastUsed     time.Time     `json:"last_used,omitzero"`     // as the server tells
	OverlapUntil time.Time     `json:"overlap_until,omitzero"` // of a previous key
	Overlap      string        `json:"overlap,omitempty"`      // why it is still there
}

// Ages returns the ages of a connection's keys: the SSH keys by role, then the
// consumer's pair; nothing without a record.
func Ages(want *schema.Connection, have Have, now time.Time) []Age {
	r := have.Record
	if r == nil {
		return nil
	}
	var out []Age
	for _, x := range []struct {
		role Role
		key  *Key
	}{{Current, r.Current}, {Pending, r.Pending}, {Previous, r.Previous}} {
		if x.key != nil {
			out = append(out, sshAge(want, have, x.role, x.key, now))
		}
	}
	if c := r.Consumer; c != nil {
		age := Age{Key: ConsumerPair, Role: Current, Fingerprint: c.Fingerprint, Created: c.Created, Age: now.Sub(c.Created)}
		age.setDue(consumerDue(want, c), want.Consumer.Private != nil)
		out = append(out, age)
	}
	return out
}

func sshAge(want *schema.Connection, have Have, role Role, k *Key, now time.Time) Age {
	live := have.Keys[k.Fingerprint]
	age := Age{
		Key: ServiceKey, Role: role, Fingerprint: k.Fingerprint, Created: k.Created, Age: now.Sub(k.Created),
		Expires: live.Expires, LastUsed: live.LastUsed,
	}
	switch role {
	case Current:
		age.setDue(sshDue(want, k, live), want.SSHKey.Private != nil)
	case Previous:
		s := overlapOf(have.Record.Current, k, have, want.SSHKey.Overlap, now)
		age.OverlapUntil, age.Overlap = s.until, s.why
	case Pending:
		age.Overlap = "staged: Terraform does not hold it yet"
	}
	if k.Compromised != "" {
		age.Overlap = "compromised: " + k.Compromised
	}
	return age
}

func (a *Age) setDue(at due, brought bool) {
	a.Due, a.Overdue, a.Why = at.at, at.overdue, at.why
	switch {
	case brought:
		a.Why = "its owner brings the next one"
	case at.at.IsZero():
		a.Why = "no rotate_after"
	}
}

// String shows the age in a line.
func (a Age) String() string {
	kind := "SSH key"
	if a.Key == ConsumerPair {
		kind = "consumer's pair"
	}
	name := strings.TrimSpace(kind + " " + a.Fingerprint) // of a key made by hand it may not be known
	parts := []string{fmt.Sprintf("%s (%s): %s old", name, a.Role, days(a.Age))}
	switch {
	case !a.Due.IsZero():
		parts = append(parts, fmt.Sprintf("due on %s (%s)", day(a.Due), a.Why))
	case a.Why != "":
		parts = append(parts, fmt.Sprintf("not due by age (%s)", a.Why))
	}
	if !a.Expires.IsZero() {
		parts = append(parts, "expires on "+day(a.Expires))
	}
	if !a.LastUsed.IsZero() {
		parts = append(parts, "last used "+a.LastUsed.UTC().Format(minutes))
	}
	switch {
	case !a.OverlapUntil.IsZero():
		parts = append(parts, fmt.Sprintf("stays until %s (%s)", a.OverlapUntil.UTC().Format(minutes), a.Overlap))
	case a.Overlap != "":
		parts = append(parts, a.Overlap)
	}
	return strings.Join(parts, ", ")
}
