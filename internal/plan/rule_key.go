package plan

import "cmp"

// The roles of the SSH keys in the record say how far a rotation is, whatever caused it
// and wherever it stopped:
//
//	pending | previous | what happens
//	--------+----------+------------------------------------------------------
//	no      | no       | nothing, or a new key is staged when one is due
//	yes     | no       | it is published, proven, and switched to
//	no      | yes      | the overlap: the previous key is retired when it is over
//
// Going back is going forward to the previous key: it is staged again.

// firstKeyRule puts an SSH key into the record: the first, or one in place of a key that
// nobody has. One that is compromised is rotated instead, so that the record names it
// until it is gone from Bitbucket; where another key is staged, that one takes its place.
func firstKeyRule(v view) *Change {
	if v.current() != nil && (!v.lostKey() || v.compromised() || v.Record.Pending != nil) {
		return nil
	}
	return step(CreateSSHKey{Role: Current, Bits: v.want.SSHKey.Bits, Comment: v.label(), From: source(v.want.SSHKey.Private)},
		v.reason("record_ssh_key", "SSH key in Vault", "", "one, before any system learns it", ""))
}

// publicKeyRule plans the public half on the service user: before Terraform gets the
// private half, and proven first.
func publicKeyRule(v view) *Change {
	k := v.current()
	switch {
	case k.Compromised != "" || k.PrivateElsewhere:
		return nil
	case v.hasKey(k.Fingerprint):
		if v.since.login[k.Fingerprint] == doubted && !v.expired(k.Fingerprint) {
			return step(ProveSSH{Role: Current})
		}
		return nil
	case v.onOldUser(k):
		return v.fromOldUser(k)
	}
	live, want := "not among its keys", k.Fingerprint
	if known(k.Fingerprint) == "" {
		live, want = "", "the record's"
	}
	return step(AddSSHKey{Role: Current, Label: v.label(), Fingerprint: known(k.Fingerprint)}, v.reason("service_user_ssh_key", "SSH key of "+v.want.ServiceUser, live, want, "service_user"))
}

// fromOldUser takes the record's keys from the user that the configuration named
// before. They stay while Terraform acts as that user, or where another connection uses
// them there.
func (v view) fromOldUser(current *Key) *Change {
	if v.foreignToken() || v.leftBehind() {
		return nil
	}
	for _, k := range []*Key{v.Record.Pending, v.Record.Previous, current} {
		if v.onOldUser(k) && len(v.Shared[k.Fingerprint]) == 0 {
			return step(v.deletion(k.Fingerprint), v.reason("service_user_ssh_key", "SSH key of "+v.want.ServiceUser, "on "+v.Record.About.ServiceUser, current.Fingerprint, "service_user"))
		}
	}
	return nil
}

// deletion deletes an SSH key that is published.
func (v view) deletion(fingerprint string) DeleteSSHKey {
	if live, ok := v.Keys[fingerprint]; ok {
		return DeleteSSHKey{ID: live.ID, Fingerprint: fingerprint}
	}
	return DeleteSSHKey{ID: v.OldKeys[fingerprint].ID, Fingerprint: fingerprint, User: v.Record.About.ServiceUser}
}

// emergencyRule replaces compromised keys before anything else is repaired.
func emergencyRule(v view) *Change {
	if !v.inEmergency() {
		return nil
	}
	return cmp.Or(previousKeyRule(v), stagedKeyRule(v), nextKeyRule(v))
}

// previousKeyRule ends an overlap, or begins the way back.
func previousKeyRule(v view) *Change {
	r := v.Record
	k := r.Previous
	switch {
	case k == nil:
		return nil
	case k.Compromised != "":
		return v.leave(Previous, k, v.reason("previous_ssh_key", "previous SSH key", "compromised: "+k.Compromised, "", ""))
	case v.compromised(): // its replacement does not wait
		return v.leave(Previous, k, v.reason("previous_ssh_key", "previous SSH key", k.Fingerprint+", while the current one is compromised", "", ""))
	case v.expired(r.Current.Fingerprint) && !v.holdsKey(): // the next key cannot be staged before
		return v.leave(Previous, k, v.reason("previous_ssh_key", "previous SSH key", k.Fingerprint+", while the current one has expired", "", ""))
	case v.leftBehind() && v.goodToken():
		return v.leave(Previous, k, v.reason("previous_ssh_key", "previous SSH key", "on "+v.Record.About.ServiceUser, "", "service_user"))
	case v.ask.Key == k.Fingerprint && r.Pending == nil && v.wayBack(k) == "":
		return step(RestageKey{Fingerprint: k.Fingerprint}, v.reason("current_ssh_key", "SSH key in use", r.Current.Fingerprint, k.Fingerprint+", as asked for", ""))
	}
	if s := v.overlap(); s.over && (!v.ask.Hold || v.expired(r.Current.Fingerprint)) {
		return v.leave(Previous, k, v.reason("previous_ssh_key", "previous SSH key", s.why, "", "ssh_key.overlap"))
	}
	return nil
}

func (v view) overlap() overlap {
	return overlapOf(v.Record.Current, v.Record.Previous, v.Have, v.want.SSHKey.Overlap, v.Now)
}

// leave ends a key: off the server, then out of Vault. That a compromised one is let in
// no more is proven before its private half is gone.
func (v view) leave(role Role, k *Key, because Reason) *Change {
	switch {
	case v.published(k.Fingerprint) && !v.stays(k):
		return step(v.deletion(k.Fingerprint), because)
	case k.Compromised != "" && !k.PrivateElsewhere && !v.since.refused[k.Fingerprint]:
		return step(ProveRefused{Role: role, Fingerprint: k.Fingerprint}, because)
	}
	return step(RetireKey{Role: role, Fingerprint: k.Fingerprint}, because)
}

// stays reports whether a key that leaves the record stays on Bitbucket: another
// connection uses it, or people made it and others may.
func (v view) stays(k *Key) bool {
	return k.Compromised == "" && (k.PrivateElsewhere || len(v.Shared[k.Fingerprint]) > 0)
}

// stagedKeyRule drops a staged key that is not wanted any more. Where a switch was cut
// off, Terraform may hold it already, and has to have another one first: whichever of
// the two it holds, neither is deleted before.
func stagedKeyRule(v view) *Change {
	current, k := v.current(), v.Record.Pending
	switch {
	case k == nil:
		return nil
	case k.Compromised != "" && v.mayHold(k) && v.works(k):
		return v.switchTo(k, v.reason("current_ssh_key", "SSH key in use", "not known: a switch was cut off", k.Fingerprint+", until there is a new one", ""))
	case k.Compromised != "":
		return v.leave(Pending, k, v.reason("pending_ssh_key", "staged SSH key", "compromised: "+k.Compromised, "", ""))
	case v.ask.Key == "" || v.ask.Key != current.Fingerprint || v.whyUseless() != nil: // else the next rule stages one again
		return nil
	case v.foreignToken() || v.deadToken(): // such a token may hold it, and is given no other
		return nil
	case !v.mayHold(k):
		return v.leave(Pending, k, v.reason("pending_ssh_key", "staged SSH key", k.Fingerprint, "none, as asked for", ""))
	case v.wayBack(current) != "":
		return nil
	}
	return v.giveKey(current, v.reason("pending_ssh_key", "staged SSH key", k.Fingerprint, "none, as asked for", ""))
}

// nextKeyRule continues with the key that is staged, and stages one in place of a key
// that is of no use.
func nextKeyRule(v view) *Change {
	r := v.Record
	useless := v.compromised() || v.lostKey() || v.expired(r.Current.Fingerprint)
	if r.Previous != nil || !useless && !v.goodToken() {
		return nil
	}
	if k := r.Pending; k != nil {
		return v.switchTo(k, v.reason("current_ssh_key", "SSH key in use", r.Current.Fingerprint, k.Fingerprint+", which is staged", ""))
	}
	if because := v.whyUseless(); because != nil {
		return v.stage(*because)
	}
	return nil
}

// whyUseless returns why the SSH key in use is of no use, nil if it is of use.
func (v view) whyUseless() *Reason {
	k := v.current()
	switch {
	case k.Compromised != "":
		return new(v.reason("ssh_key", "SSH key", "compromised: "+k.Compromised, "a new one at once", ""))
	case v.leftBehind():
		return new(v.reason("service_user_ssh_key", "SSH key of "+v.want.ServiceUser, k.Fingerprint+", which "+v.Shared[k.Fingerprint][0].Address+" uses on "+v.Record.About.ServiceUser, "one of its own", "service_user"))
	case v.expired(k.Fingerprint):
		return new(v.reason("ssh_key", "SSH key", k.Fingerprint+", which expired on "+day(v.Keys[k.Fingerprint].Expires), "a new one", ""))
	}
	return nil
}

// anotherKeyRule begins a rotation of the SSH key. The key in use is proven first: where
// it does not work, something else is wrong that a new one would hide.
func anotherKeyRule(v view) *Change {
	r := v.Record
	if r.Previous != nil || r.Pending != nil || v.ask.Key != "" {
		return nil
	}
	because := v.whyKey()
	if because == nil {
		return nil
	}
	if v.works(r.Current) && v.since.login[r.Current.Fingerprint] != proven {
		return step(ProveSSH{Role: Current}, *because)
	}
	return v.stage(*because)
}

// whyKey returns why another SSH key is wanted now, nil when none is.
func (v view) whyKey() *Reason {
	k := v.current()
	if v.ask.NotKey != "" && v.ask.NotKey == k.Fingerprint {
		return new(v.reason("ssh_key", "SSH key", k.Fingerprint, "a new one, as asked for", ""))
	}
	at := v.keyDue()
	if !v.begins(at) {
		return nil
	}
	if live, want := from(k.UserSupplied), from(v.want.SSHKey.Private != nil); live != want {
		return new(v.reason("ssh_key", "SSH key", live, want, at.attribute))
	}
	return new(v.reason("ssh_key_age", "age of the SSH key", "created on "+day(k.Created), at.why, at.attribute))
}

// keyDue returns when the SSH key in use is due to be replaced.
func (v view) keyDue() due {
	k := v.current()
	if k.UserSupplied != (v.want.SSHKey.Private != nil) {
		return due{at: k.Created, attribute: "ssh_key"}
	}
	return sshDue(v.want, k, v.Keys[k.Fingerprint])
}

func from(userSupplied bool) string {
	if userSupplied {
		return "user-supplied"
	}
	return "made by bbsync"
}

// begins reports whether the time for a rotation has come and nothing holds it back.
func (v view) begins(at due) bool {
	if at.at.IsZero() || v.Now.Before(at.at) || v.ask.Hold {
		return false
	}
	open, _ := window(v.want.Maintenance, v.Now)
	return open || at.isOverdue(v.Now)
}

func (v view) stage(because Reason) *Change {
	return step(CreateSSHKey{Role: Pending, Bits: v.want.SSHKey.Bits, Comment: v.label(), From: source(v.want.SSHKey.Private)}, because)
}

// switchTo plans what a staged key lacks, up to the switch. A key that has expired
// works again when it is added again.
func (v view) switchTo(k *Key, why Reason) *Change {
	var because []Reason
	if known(k.Fingerprint) != "" {
		because = append(because, why)
	}
	switch {
	case v.onOldUser(k) && v.foreignToken() && (k.Token == v.token().ID || !k.SwitchNoted): // it may be in use: it stays there until someone has authorized
		return step(SwitchKey{Fingerprint: k.Fingerprint, NoToken: true}, because...)
	case v.expired(k.Fingerprint), v.onOldUser(k): // Bitbucket has a key on one user only
		return step(v.deletion(k.Fingerprint), because...)
	case !v.hasKey(k.Fingerprint):
		return step(AddSSHKey{Role: Pending, Label: v.label(), Fingerprint: known(k.Fingerprint)}, because...)
	case v.since.login[k.Fingerprint] != proven:
		return step(ProveSSH{Role: Pending}, because...)
	}
	return step(SwitchKey{Fingerprint: known(k.Fingerprint), NoToken: v.token() == nil || v.foreignToken()}, because...)
}
