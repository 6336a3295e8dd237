package plan

import (
	"fmt"
	"slices"
)

// A Rotation is what the caller asks for beside what the files say. The zero
// value asks for nothing.
type Rotation struct {
	SSH, Consumer bool   // new keys now, whatever their age and the maintenance window
	Emergency     string // the reason: the old SSH keys go at once
	Rollback      bool   // back to the SSH key before
	// Hold begins nothing that only time or use has brought about: neither a
	// rotation by age nor the end of a soak. So an apply is checked, during which
	// Terraform may have used a new key already.
	Hold bool
	// RemoveUnknownKeys removes the SSH keys of service users that nothing knows.
	RemoveUnknownKeys bool
}

// sshRotation plans the service user's key pair beyond its first.
//
// The roles of the SSH keys in the record say how far a rotation is, whatever
// caused it and wherever it stopped:
//
//	pending | previous | what happens
//	--------+----------+------------------------------------------------------
//	no      | no       | nothing, or a new key is staged when one is due
//	yes     | no       | it is published, proven, and switched to
//	no      | yes      | the soak: the previous key is retired when it is over
//
// Going back is going forward to the previous key: it is staged again. Which of
// two keys is the earlier one tells how far that is, so that going back twice, as
// after a crash, is going back once.
func (d *differ) sshRotation() {
	if d.have.Record == nil {
		return
	}
	d.destroyed()
	if d.newSSH {
		return
	}
	d.previousKey()
	d.pendingKey()
	d.nextKey()
}

// sshKeys are the keys of the record as they will be at this point of the plan.
type sshKeys struct{ pending, current, previous *Key }

// goingBack reports whether the staged key was in use before the current one: a
// key that Terraform never had has no time at which it was given another.
func (k sshKeys) goingBack() bool { return k.pending != nil && !k.pending.Left.IsZero() }

// wentBack reports whether the current key was in use before the previous one.
func (k sshKeys) wentBack() bool {
	return k.previous != nil && k.current != nil && !k.current.Left.IsZero()
}

// readKeys copies the record's SSH keys: the plan changes them step by step.
func (d *differ) readKeys() {
	if r := d.have.Record; r != nil {
		d.keys = sshKeys{copied(r.Pending), copied(r.Current), copied(r.Previous)}
	}
}

// condemn plans the mark that makes an emergency outlive a crash. It comes before
// every write to another system: whatever is cut off after it, the next plan knows
// which keys are compromised. While an emergency is under way, asking for one
// again continues it.
func (d *differ) condemn() {
	all := slices.DeleteFunc([]*Key{d.keys.current, d.keys.pending, d.keys.previous}, func(k *Key) bool { return k == nil })
	asked := d.asked.Emergency != "" && d.asked.SSH && d.keys.current != nil
	d.goingOn = asked && slices.ContainsFunc(all, func(k *Key) bool { return k.Condemned != "" })
	step := CondemnKeys{Reason: d.asked.Emergency}
	for _, k := range all {
		why, elsewhere := d.have.Condemned[k.Fingerprint]
		switch {
		case k.Condemned != "" || !elsewhere && (!asked || d.goingOn):
			continue
		case !asked:
			step.Reason = why
		}
		k.Condemned = step.Reason
		step.Fingerprints = append(step.Fingerprints, k.Fingerprint)
	}
	if r := d.have.Record; r != nil && r.Consumer != nil && d.asked.Consumer && d.asked.Emergency != "" && r.Consumer.Condemned == "" && !d.pairGoesOn() {
		step.Consumer, step.Reason = r.Consumer.Fingerprint, d.asked.Emergency
	}
	if len(step.Fingerprints) == 0 && step.Consumer == "" {
		return
	}
	if slices.Contains(step.Fingerprints, "") {
		d.warn(d.want.Where("ssh_key"), "which public key of %s is the compromised one is not known, as only Terraform had it: delete it on Bitbucket", d.want.ServiceUser)
	}
	d.add(step, d.reason("keys", "trusted", "none of them: "+step.Reason, ""))
}

func copied(k *Key) *Key {
	if k == nil {
		return nil
	}
	have := *k
	return &have
}

// destroyed plans what a crash left of a retirement.
func (d *differ) destroyed() {
	if r := d.have.Record.Retired; r != nil && !r.Destroyed {
		d.add(RetireKey{Role: Previous, Fingerprint: r.Fingerprint},
			d.reason("older versions of the record", "hold "+r.Fingerprint, "destroyed", ""))
	}
}

// previousKey plans the end of a soak, or the way back.
func (d *differ) previousKey() {
	previous := d.keys.previous
	switch {
	case previous == nil:
	case previous.Condemned != "":
		d.retirePrevious(d.reason("previous SSH key", "condemned: "+previous.Condemned, "none", ""))
	case d.asked.Rollback && (previous.Unheld || d.expired(previous.Fingerprint)):
		d.note(d.want.Where("ssh_key"), "there is no way back to the SSH key before: %s", d.whyNot(previous))
	case d.asked.Rollback && d.keys.pending == nil && !d.keys.wentBack():
		d.add(RestageKey{Fingerprint: previous.Fingerprint}, d.reason("SSH key in use", d.keys.current.Fingerprint, previous.Fingerprint+", as asked for", ""))
		d.keys.pending, d.keys.previous, d.restaged = previous, nil, true
	default:
		s := d.soak()
		if s.over && (!d.asked.Hold || d.expired(d.currentFingerprint())) {
			d.retirePrevious(d.reason("previous SSH key", s.why, "none", "ssh_key.overlap"))
		} else {
			d.note(d.want.Where("ssh_key.overlap"), "%s", s.String())
		}
		if s.warning != "" {
			d.warn(d.want.Where("ssh_key.overlap"), "%s", s.warning)
		}
	}
}

// retirePrevious plans the end of the previous key: off the server, then out of
// Vault. That a condemned key is let in no more is proven before its private
// half is gone.
func (d *differ) retirePrevious(because Reason) {
	key := d.keys.previous
	var steps []Step
	switch {
	case !d.published(key.Fingerprint):
	case key.Condemned == "" && d.staysFor(key):
	case key.Unheld && key.Condemned == "": // made by hand: others may use it
		d.note(d.want.Where("ssh_key"), "SSH key %s was made by hand and stays on Bitbucket: delete it there when nobody uses it any more", key.Fingerprint)
	default:
		steps = append(steps, d.deletion(key.Fingerprint))
	}
	if key.Condemned != "" && !key.Unheld {
		steps = append(steps, ProveRefused{Role: Previous, Fingerprint: key.Fingerprint})
	}
	d.all([]Reason{because}, append(steps, RetireKey{Role: Previous, Fingerprint: key.Fingerprint}))
	d.keys.previous = nil
}

// pendingKey drops a staged key that is not wanted any more. Where a switch was
// cut off, Terraform may hold that key already, and must be given another first.
func (d *differ) pendingKey() {
	pending := d.keys.pending
	if pending == nil || d.restaged || d.keys.current == nil {
		return
	}
	switch {
	case pending.Condemned != "":
		if d.mayHold(pending) && d.works(pending) {
			d.finishSwitch()
			return
		}
		d.dropPending(d.reason("staged SSH key", "condemned: "+pending.Condemned, "none", ""), nil)
	case d.asked.Rollback && !d.condemned() && !d.keys.goingBack():
		d.rollBackStaged()
	}
}

// mayHold reports whether the service user's token may hold the staged key: the
// record names the token before Terraform is given the key.
func (d *differ) mayHold(pending *Key) bool {
	token := d.token()
	return token != nil && token.HasSSHKey && pending.Token == token.ID && d.isServiceUser(token.User)
}

// works reports whether a login with the key can succeed: Vault has its private
// half, and Bitbucket accepts the public one.
func (d *differ) works(k *Key) bool {
	return k != nil && !k.Unheld && d.hasKey(k.Fingerprint) && !d.expired(k.Fingerprint)
}

// expired reports whether Bitbucket accepts the key no longer because of its age.
func (d *differ) expired(fingerprint string) bool {
	end := d.have.Keys[fingerprint].Expires
	return !end.IsZero() && !d.now.Before(end)
}

// finishSwitch plans the rest of a switch to a compromised key that was cut off:
// whichever of the two keys Terraform holds, neither is deleted before it has the
// other. The key before is not given back, as its private half may be missing.
func (d *differ) finishSwitch() {
	pending := d.keys.pending
	d.all([]Reason{d.reason("SSH key in use", "not known: a switch was cut off", pending.Fingerprint+", until there is a new one", "")},
		[]Step{ProveSSH{Role: Pending}, SwitchKey{Fingerprint: pending.Fingerprint}})
	d.keys = sshKeys{current: pending, previous: d.keys.current}
	d.retirePrevious(d.reason("SSH key before", "condemned: "+pending.Condemned, "none", ""))
}

// rollBackStaged plans the way back from a staged key to the current one.
func (d *differ) rollBackStaged() {
	pending, at := d.keys.pending, d.want.Where("ssh_key")
	var before []Step
	switch {
	case d.foreignToken():
		d.note(at, "the staged SSH key is dropped when %s has authorized: a token that acts as somebody else may hold it, and is given no other", d.want.ServiceUser)
		return
	case d.mayHold(pending) && !d.canGiveBack():
		d.note(at, "there is no way back to SSH key %s: %s", d.currentFingerprint(), d.whyNot(d.keys.current))
		return
	case d.mayHold(pending):
		before = d.giveBack()
	}
	d.dropPending(d.reason("staged SSH key", pending.Fingerprint, "none, as asked for", ""), before)
	d.rolledBack = true
}

// canGiveBack reports whether Terraform can be given the current key, which is on
// the service user by now.
func (d *differ) canGiveBack() bool {
	return !d.keys.current.Unheld && !d.expired(d.currentFingerprint())
}

// giveBack returns the steps that give Terraform the current key again.
func (d *differ) giveBack() []Step {
	var steps []Step
	if !d.proveSSH {
		d.proveSSH = true
		steps = append(steps, ProveSSH{Role: Current})
	}
	d.tokenSet = true
	return append(steps, SetTokenKey{Role: Current, Fingerprint: d.currentFingerprint()})
}

// whyNot says why Terraform cannot be given a key.
func (d *differ) whyNot(k *Key) string {
	if k.Unheld {
		return "only Terraform had its private half"
	}
	return "it expired on " + day(d.have.Keys[k.Fingerprint].Expires)
}

// dropPending plans the end of the staged key: off the server, then out of Vault.
func (d *differ) dropPending(because Reason, steps []Step) {
	pending := d.keys.pending
	if d.published(pending.Fingerprint) && (pending.Condemned != "" || !d.staysFor(pending)) {
		steps = append(steps, d.deletion(pending.Fingerprint))
	}
	if pending.Condemned != "" && !pending.Unheld {
		steps = append(steps, ProveRefused{Role: Pending, Fingerprint: pending.Fingerprint})
	}
	d.all([]Reason{because}, append(steps, RetireKey{Role: Pending, Fingerprint: pending.Fingerprint}))
	d.keys.pending = nil
}

// nextKey goes on with the key that is staged, or stages one.
func (d *differ) nextKey() {
	useless := d.condemned() || d.lostSSH() || d.expired(d.currentFingerprint())
	if !useless && !d.goodToken() {
		d.notYet()
		return
	}
	switch {
	case d.keys.pending != nil:
		d.publish(d.reason("SSH key in use", d.currentFingerprint(), d.keys.pending.Fingerprint+", which is staged", ""))
	case d.asked.Rollback && !useless:
		if !d.rolledBack {
			d.note(d.want.Where("ssh_key"), "there is no earlier SSH key to go back to")
		}
		return
	default:
		because := d.whySSH()
		if len(because) == 0 {
			return
		}
		if d.keys.previous != nil {
			d.note(d.want.Where("ssh_key.overlap"), "a new SSH key waits for the soak to end; --emergency does not wait")
			return
		}
		d.stage(because)
	}
	if d.condemned() {
		d.keys.previous = d.keys.current
		d.retirePrevious(d.reason("SSH key before", "condemned: "+d.keys.current.Condemned, "none", ""))
	}
}

// all adds steps that one reason is for: it is told with the first.
func (d *differ) all(because []Reason, steps []Step) {
	for _, s := range steps {
		d.add(s, because...)
		because = nil
	}
}

// foreignToken reports whether the token acts as somebody else: it is given no
// key of ours.
func (d *differ) foreignToken() bool {
	token := d.token()
	return token != nil && !d.isServiceUser(token.User)
}

// goodToken reports whether there is a token of the service user, which may be
// given a key.
func (d *differ) goodToken() bool { return d.token() != nil && !d.foreignToken() }

func (d *differ) condemned() bool {
	return d.keys.current != nil && d.keys.current.Condemned != ""
}

func (d *differ) currentFingerprint() string {
	if d.keys.current == nil {
		return "none"
	}
	return d.keys.current.Fingerprint
}

// notYet tells why nothing is rotated where Terraform holds no key.
func (d *differ) notYet() {
	if d.asked.SSH || d.asked.Rollback {
		d.note(d.want.Range, "the SSH key is not rotated: Terraform has no OAuth token of %s that could hold one", d.want.ServiceUser)
	}
}

// stage plans a new key up to the switch. The key in use is proven first: where
// it does not work, something else is wrong that a new one would hide. A key
// that is condemned or has expired need not work.
func (d *differ) stage(because []Reason) {
	current := d.keys.current
	var steps []Step
	if current.Condemned == "" && !current.Unheld && !d.expired(current.Fingerprint) && !d.leftBehind() && !d.proveSSH {
		d.proveSSH = true
		steps = append(steps, ProveSSH{Role: Current})
	}
	d.all(because, append(steps,
		CreateSSHKey{Role: Pending, Bits: d.want.SSHKey.Bits, Comment: d.label(), From: source(d.want.SSHKey.Private)},
		AddSSHKey{Role: Pending, Label: d.label()},
		ProveSSH{Role: Pending},
		SwitchKey{NoToken: !d.goodToken()}))
	d.switched = true
}

// publish plans what a staged key lacks, up to the switch.
func (d *differ) publish(because Reason) {
	pending := d.keys.pending
	var steps []Step
	if d.expired(pending.Fingerprint) { // it lives again when it is added again
		steps = append(steps, d.deletion(pending.Fingerprint))
	}
	if !d.hasKey(pending.Fingerprint) || d.expired(pending.Fingerprint) {
		steps = append(steps, AddSSHKey{Role: Pending, Label: d.label(), Fingerprint: pending.Fingerprint})
	}
	d.all([]Reason{because}, append(steps, ProveSSH{Role: Pending}, SwitchKey{Fingerprint: pending.Fingerprint, NoToken: !d.goodToken()}))
	d.switched, d.switchedTo = true, pending.Fingerprint
}

// whySSH returns why a new SSH key is wanted now, nothing when none is.
func (d *differ) whySSH() []Reason {
	current := d.keys.current
	switch {
	case current == nil:
		return nil
	case current.Condemned != "":
		return []Reason{d.reason("SSH key", "condemned: "+current.Condemned, "a new one at once", "")}
	case d.asked.SSH && !d.goingOn:
		return []Reason{d.reason("SSH key", current.Fingerprint, "a new one, as asked for", "")}
	case d.leftBehind():
		return []Reason{d.reason("SSH key of "+d.want.ServiceUser, current.Fingerprint+", which "+d.have.Shared[current.Fingerprint][0].Address+" uses on "+d.have.Record.About.ServiceUser, "one of its own", "service_user")}
	case d.lostSSH():
		return []Reason{d.reason("SSH key", current.Fingerprint+", whose private half nobody has", "a new one", "")}
	case d.expired(current.Fingerprint):
		return []Reason{d.reason("SSH key", current.Fingerprint+", which expired on "+day(d.have.Keys[current.Fingerprint].Expires), "a new one", "")}
	case d.have.TokenDead && !d.doubtful:
		return nil // a person is next
	}
	if live, want := from(current.Brought), from(d.want.SSHKey.Private != nil); live != want {
		return d.inWindow(due{at: current.Created}, "SSH key",
			d.reason("SSH key", live, want, "ssh_key"))
	}
	at := sshDue(d.want, current, d.have.Keys[current.Fingerprint])
	return d.inWindow(at, "SSH key", d.reason("age of the SSH key", "created on "+day(current.Created), at.why, at.attribute))
}

func from(brought bool) string {
	if brought {
		return "brought by its owner"
	}
	return "made by bbsync"
}

// inWindow returns the reason when the time has come, and a note when it is
// near or held back by the maintenance window.
func (d *differ) inWindow(at due, what string, because Reason) []Reason {
	switch {
	case at.at.IsZero():
		return nil
	case d.now.Before(at.at):
		if at.at.Sub(d.now) <= soon {
			d.note(because.At, "the %s is due to be rotated on %s: %s", what, day(at.at), at.why)
		}
		return nil
	}
	if d.asked.Hold {
		return nil
	}
	w := d.want.Maintenance
	open, next := window(w, d.now)
	if open || !at.overdue.IsZero() && !d.now.Before(at.overdue) {
		return []Reason{because}
	}
	opens := "never"
	if !next.IsZero() {
		opens = next.UTC().Format(minutes)
	}
	d.note(w.Range, "the %s is due to be rotated since %s and waits for the maintenance window, which opens at %s", what, day(at.at), opens)
	return nil
}

// String says in what way it was asked for.
func (r Rotation) String() string {
	switch {
	case r.Emergency != "":
		return fmt.Sprintf("emergency: %s", r.Emergency)
	case r.Rollback:
		return "rollback"
	}
	return "on demand"
}
