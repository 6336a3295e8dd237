package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/names"
)

// leaseRule takes a lease from another run, where that is asked for or where no run
// wrote it. A record that moves is taken by the move.
func leaseRule(v view) *Change {
	why := v.breaks()
	if why == "" || v.Moved != nil {
		return nil
	}
	l := v.Record.Lease
	return step(BreakLease{Holder: l.Holder, Taken: l.Taken, Why: why},
		v.reason("lease", "lease in Vault", fmt.Sprintf("of %s until %s", cmp.Or(l.Holder, "none"), l.until()), "", ""))
}

// recordRule plans what the record is to say of the connection, and where it is.
func recordRule(v view) *Change {
	r := v.Record
	switch m := v.Moved; {
	case r == nil:
		return nil // a new record says it from the beginning
	case m != nil:
		return v.moveRecord(m)
	case v.halfMoved():
		return step(MoveRecord{From: v.Before.Path, To: v.want.Record, Address: v.Before.Record.Address, Basis: v.Before.Record.Basis()},
			v.reason("record_path", "record in Vault", "taken over, and its keys at "+v.Before.Path+", too", "at "+v.want.Record+" alone", ""))
	}
	because := v.undescribed()
	if len(because) == 0 {
		return nil
	}
	s := NoteConnection{Address: v.want.Address, Protect: v.want.Protect, MovedFrom: r.MovedFrom}
	if v.otherUser() {
		s.ServiceUser = v.want.ServiceUser
	}
	return step(s, because...)
}

// halfMoved reports whether a move that was cut off had taken the keys over, and not
// emptied the record that had them.
func (v view) halfMoved() bool {
	return v.Record.MovedFrom != "" && v.Before != nil && v.Before.Record.Ended == ""
}

// moveRecord plans the move of a record. A move to its path that was cut off is
// ended with it.
func (v view) moveRecord(m *MovedRecord) *Change {
	s := MoveRecord{From: m.Path, To: v.want.Record, Address: m.Record.Address, Basis: m.Record.Basis()}
	if before := v.Before; before != nil && before.Record.Ended == "" {
		s.Before, s.BeforeBasis = before.Path, before.Record.Basis()
	}
	return step(s, v.reason("record_path", "record in Vault", m.Path, v.want.Record, "organization"))
}

// undescribed returns what the record does not say, or says otherwise than the
// configuration.
func (v view) undescribed() []Reason {
	r := v.Record
	var because []Reason
	if r.MovedFrom != "" {
		because = append(because, v.reason("record_moved_from", "record in Vault", "says that it took over "+r.MovedFrom, "that record has ended", ""))
	}
	if r.Address != v.want.Address && (slices.Contains(v.From, r.Address) || strings.EqualFold(r.Address, v.want.Address)) {
		because = append(because, v.reason("record_address", "address in the record", r.Address, v.want.Address, ""))
	}
	if r.About.Protected != v.want.Protect {
		because = append(because, v.reason("record_protect", "protect in the record", fmt.Sprint(r.About.Protected), fmt.Sprint(v.want.Protect), "protect"))
	}
	if v.otherUser() {
		because = append(because, v.reason("record_service_user", "whose SSH keys they are in the record", r.About.ServiceUser, v.want.ServiceUser, "service_user"))
	}
	if r.Ended == forgotten {
		because = append(because, v.reason("record_forgotten", "record in Vault", "says that the connection is not kept any more", "kept", ""))
	}
	if !r.Deletes.IsZero() && v.Lifetime == 0 { // the setting is gone; a new version is kept
		because = append(because, v.reason("record_deletion", "record in Vault", "deleted by Vault on "+dateTime(r.Deletes), "kept", ""))
	}
	return because
}

// otherUser reports whether the record is to name another service user: none of its keys
// is left on the one that it names.
func (v view) otherUser() bool {
	user := v.Record.About.ServiceUser
	return user != "" && !names.SameUser(user, v.want.ServiceUser) && v.movedUser()
}

// compromisedRule marks the keys that an emergency is about. It comes before every
// write to another system: whatever is cut off after it, the next plan knows which
// keys are compromised.
func compromisedRule(v view) *Change {
	if v.Record == nil {
		return nil
	}
	var s MarkCompromised
	for _, k := range v.keys() {
		why := v.Compromised[k.Fingerprint]
		if slices.Contains(v.ask.Nowhere, k.Fingerprint) {
			why = v.ask.Why
		}
		if why != "" && k.Compromised == "" {
			s.Fingerprints, s.Reason = append(s.Fingerprints, k.Fingerprint), why
		}
	}
	if c := v.Record.Consumer; v.ask.PairGone && c.Fingerprint == v.ask.NotPair && c.Compromised == "" {
		s.Consumer, s.Reason = c.Fingerprint, v.ask.Why
	}
	if s.Reason == "" {
		return nil
	}
	return step(s, v.reason("compromised_keys", "keys", "trusted", "none of them: "+s.Reason, ""))
}

// leftoversRule ends a retirement that was cut off: older versions of the record hold
// the key.
func leftoversRule(v view) *Change {
	if r := v.Record.Retired; r != nil && !r.Destroyed {
		return step(RetireKey{Role: Previous, Fingerprint: r.Fingerprint},
			v.reason("record_versions", "older versions of the record", "hold "+r.Fingerprint, "destroyed", ""))
	}
	return nil
}
