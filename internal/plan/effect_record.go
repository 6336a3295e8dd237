package plan

import (
	"cmp"
	"slices"
	"time"
)

func (s MarkCompromised) effect(w *World) {
	r := w.changeRecord()
	for _, k := range r.sshKeys() {
		if slices.Contains(s.Fingerprints, k.Fingerprint) {
			k.Compromised = s.Reason
		}
	}
	if r.Consumer != nil && s.Consumer != "" && r.Consumer.Fingerprint == s.Consumer {
		r.Consumer.Compromised = s.Reason
	}
}

func (s NoteConnection) effect(w *World) {
	r := w.changeRecord()
	r.describe(w.Target)
	r.About.ServiceUser, r.Deletes = cmp.Or(s.ServiceUser, r.About.ServiceUser), time.Time{}
	if s.ServiceUser != "" {
		w.OldKeys = nil // the record names nobody else any more
	}
	if s.MovedFrom == r.MovedFrom {
		r.MovedFrom = ""
	}
}

func (MoveRecord) effect(w *World) { w.changeRecord().MovedFrom, w.Moved, w.Before = "", nil, nil }

func (ForgetRecord) effect(w *World) { w.changeRecord().Ended = forgotten }

func (RetireRecord) effect(w *World) {
	r := w.Record
	w.Record = &Record{Fleet: r.Fleet, Address: r.Address, About: r.About, Ended: retired}
}

func (BreakLease) effect(w *World) { w.changeRecord().Lease = nil }

func (s CreateConsumerKey) effect(w *World) {
	r := w.changeRecord()
	k := &ConsumerKey{Key: s.Key, Fingerprint: w.name("pair"), Created: w.Now, UserSupplied: s.From != ""}
	if s.Key == "" {
		k.Key = w.name("consumer key")
	}
	if s.Again {
		k.Previous, k.PreviousCompromised = r.Consumer.Fingerprint, s.Reason
	}
	if s.Client != "" {
		r.ClientID = s.Client
	}
	r.Consumer = k
	w.since.pair = asRead
}

func (RetireConsumer) effect(w *World) {
	r := w.changeRecord()
	r.Retired = &RetiredKey{Fingerprint: r.Consumer.Previous, Destroyed: true}
	r.Consumer.Previous, r.Consumer.PreviousCompromised = "", ""
}

func (s CreateSSHKey) effect(w *World) {
	*w.changeRecord().key(s.Role) = &Key{Fingerprint: w.name("SSH key"), Created: w.Now, UserSupplied: s.From != "", SwitchNoted: s.Role == Pending}
}

func (RestageKey) effect(w *World) {
	r := w.changeRecord()
	r.Pending, r.Previous = r.Previous, nil
	r.Pending.Token, r.Pending.Set, r.Pending.SwitchNoted = "", time.Time{}, true
}

func (s RetireKey) effect(w *World) {
	r := w.changeRecord()
	if k := r.key(s.Role); *k != nil && (*k).Fingerprint == s.Fingerprint {
		*k = nil
	}
	r.Retired = &RetiredKey{Fingerprint: s.Fingerprint, Destroyed: true}
}
