package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/plan"
)

// slot is where the record keeps the SSH pair of a role.
func (w *world) slot(role plan.Role) *int {
	if w.record == nil {
		return new(int)
	}
	switch role {
	case plan.Pending:
		return &w.record.pending
	case plan.Previous:
		return &w.record.previous
	case plan.Current:
	}
	return &w.record.ssh
}

// rotate carries out the steps of rotations.
func (w *world) rotate(step plan.AnyStep, cut bool) error {
	if w.record == nil {
		return errors.New("there is no record")
	}
	switch s := step.(type) {
	case plan.MarkCompromised:
		if w.record.compromised == nil {
			w.record.compromised = map[int]bool{}
		}
		if s.Consumer == rsa(w.record.rsa) {
			w.record.pairGone = w.record.rsa
		}
		for _, pair := range []int{w.record.pending, w.record.ssh, w.record.previous} {
			if pair != 0 && slices.Contains(s.Fingerprints, ssh(pair)) {
				w.record.compromised[pair] = true
			}
		}
	case plan.RestageKey:
		if w.record.pending != 0 || w.record.previous == 0 {
			return errors.New("no previous key to stage, or a key is staged")
		}
		w.record.pending, w.record.previous, w.record.tokenMay, w.record.olderSwitch = w.record.previous, 0, "", false
	case plan.SwitchKey:
		return w.switchKey(s)
	case plan.DeleteSSHKey:
		return w.deleteSSHKey(s)
	case plan.ProveRefused:
		if pair := *w.slot(s.Role); pair == 0 || w.published[pair] != "" {
			return errors.New("the key is let in, or there is none")
		}
	case plan.RetireKey:
		return w.retireKey(s)
	case plan.SwapConsumer:
		return w.swapConsumer(s, cut)
	case plan.RetireConsumer:
		w.record.before, w.record.retired = 0, true
	default:
		return fmt.Errorf("%T is no step of a rotation", step)
	}
	return nil
}

func (w *world) switchKey(s plan.SwitchKey) error {
	r := w.record
	if r.pending == 0 || r.previous != 0 {
		return errors.New("no pending key, or a previous one that is not retired")
	}
	inUse := s.NoToken && w.published[r.pending] != "" && w.published[r.pending] != w.user // by the token of the user before
	if !inUse && (w.published[r.pending] != w.user || !w.provenSSH[r.pending]) || r.privateElsewhere[r.pending] {
		return errors.New("Terraform would get a key that Bitbucket does not know, or that was not proven")
	}
	c, err := w.ours()
	good := err == nil && c.token != nil && c.token.user == w.user
	if good == s.NoToken {
		return errors.New("a token of the service user is there, or not, other than planned")
	}
	if r.wasUsed == nil {
		r.wasUsed = map[int]bool{}
	}
	r.wasUsed[r.ssh], r.leftToken = true, r.token
	r.previous, r.ssh, r.pending, r.left, r.token, r.tokenMay, r.olderSwitch = r.ssh, r.pending, 0, w.hours, "", "", false
	if good {
		c.token.ssh, r.token, r.set, r.clientID = r.ssh, c.token.id, w.hours, c.id
	}
	return nil
}

// noteToken notes which token may hold the pending key from now on.
func (w *world) noteToken() {
	if c, err := w.ours(); err == nil && c.token != nil && c.token.user == w.user {
		w.record.tokenMay = c.token.id
	}
}

// deleteSSHKey holds the law that a key which Terraform holds stays. A compromised
// key goes though a token holds it that acts as somebody else, or is refused: such a
// token is given no other key, and an emergency does not wait for people. A key that comes to
// the service user from the user before is on neither for a moment.
func (w *world) deleteSSHKey(s plan.DeleteSSHKey) error {
	if s.ID == 0 { // added in the same plan
		_, _ = fmt.Sscanf(s.Fingerprint, "ssh-%d", &s.ID) // else 0: none
	}
	compromised := w.record.compromised[s.ID]
	for _, c := range w.clients {
		t := c.token
		if t != nil && t.ssh == s.ID && !w.hasExpired(s.ID) && !(compromised && (t.user != w.user || !w.works(c))) && !(s.User != "" && t.user == w.user) {
			return fmt.Errorf("key %d is deleted while token %s holds it: an outage", s.ID, t.id)
		}
	}
	if o := w.other; o != nil && o.ssh == s.ID && (!compromised || o.described && !o.planned) {
		return fmt.Errorf("key %d is deleted while another connection uses it", s.ID)
	}
	owner := w.user
	if s.User != "" {
		owner = s.User
	}
	if has, ok := w.published[s.ID]; ok && has != owner && !w.leaves {
		return fmt.Errorf("key %d is on %s, not on %s", s.ID, has, owner)
	}
	delete(w.published, s.ID)
	delete(w.provenSSH, s.ID)
	return nil
}

func (w *world) retireKey(s plan.RetireKey) error {
	pair := w.slot(s.Role)
	if ssh(*pair) == s.Fingerprint {
		stays := w.record.privateElsewhere[*pair] || w.other != nil && w.other.ssh == *pair
		if w.published[*pair] != "" && (!stays || w.record.compromised[*pair]) {
			return errors.New("a key is dropped while it is on Bitbucket")
		}
		delete(w.record.compromised, *pair)
		if *pair = 0; s.Role == plan.Pending {
			w.record.tokenMay = ""
		}
	}
	w.record.undestroyed, w.record.retired = false, true
	return nil
}

// swapConsumer may be cut off between the two sides.
func (w *world) swapConsumer(s plan.SwapConsumer, cut bool) error {
	r := w.record
	c, err := w.ours()
	switch {
	case err != nil:
		return err
	case r.before == 0:
		return errors.New("there is no pair to go back to")
	case w.link == nil || w.link.key != r.key || s.ClientID != "" && c.id != s.ClientID:
		return errors.New("the link or the client is not there as planned")
	}
	w.doubtToken()
	w.consumers[r.key] = consumerKept{rsa: r.rsa, name: s.Name, mark: plan.OwnerMark(fleet)}
	w.provenRSA = 0
	if cut {
		return nil
	}
	if w.fragile && c.token != nil {
		c.token.dead = true
	}
	c.key, c.rsa, w.provenRSA = r.key, r.rsa, r.rsa
	return nil
}

// passings are what happens by itself.
func passings() []edit {
	later := func(hours int) edit {
		return edit{fmt.Sprint(hours, " hours pass"), func(w *world) { w.hours += hours }}
	}
	return []edit{
		later(1), later(25), later(101 * 24), later(410 * 24),
		{"Terraform clones", func(w *world) {
			for _, c := range w.clients {
				if c.token != nil && w.published[c.token.ssh] != "" {
					w.used[c.token.ssh] = w.hours
				}
			}
		}},
		{"somebody uses the previous key", func(w *world) {
			if w.record != nil && w.published[w.record.previous] != "" {
				w.used[w.record.previous] = w.hours
			}
		}},
		{"the SSH key expires", func(w *world) {
			if w.record != nil && w.record.ssh != 0 {
				w.ends[w.record.ssh] = w.hours
			}
		}},
		{"the staged SSH key expires", func(w *world) {
			if w.record != nil && w.record.pending != 0 {
				w.ends[w.record.pending] = w.hours
			}
		}},
		{"a retirement was cut off", func(w *world) {
			if w.record != nil {
				w.record.undestroyed = true
			}
		}},
	}
}

// askings are the rotations that a person may ask for.
func askings() []plan.Rotation {
	return []plan.Rotation{
		{},
		{},
		{},
		{SSH: true},
		{Consumer: true},
		{SSH: true, Consumer: true},
		{SSH: true, Emergency: "stolen"},
		{SSH: true, Consumer: true, Emergency: "stolen"},
		{Rollback: true},
	}
}

// TestRotationsEnd: whatever was asked for and cut off, when the overlap has
// passed one key is left of the rotation, and none that is compromised.
func TestRotationsEnd(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := settle(t, drawWorld(t))
		clear(w.used)
		w.hours += 1000
		end := settle(t, w)
		end.hours += 1000
		end = settle(t, end)
		if end.leaves || len(end.plan().Connections[0].Blocks) > 0 {
			return
		}
		if r := end.record; r.pending != 0 || len(r.compromised) > 0 || r.before != 0 || r.undestroyed {
			t.Fatalf("not ended: %+v", *r)
		}
		if r := end.record; r.previous != 0 && !end.aging && !end.expiring {
			t.Fatalf("the previous key stays: %+v", *r)
		}
	})
}

// TestEmergencyIsWhole: one apply of what is asked for in an emergency leaves
// no key that was there, anywhere that bbsync reaches, unless it was cut off.
func TestEmergencyIsWhole(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := settle(t, drawWorld(t))
		if w.leaves || len(w.plan().Connections[0].Blocks) > 0 {
			return
		}
		old := map[int]bool{w.record.ssh: true, w.record.previous: true}
		w.asked = plan.Rotation{SSH: true, Emergency: "stolen"}
		if len(w.plan().Connections[0].Blocks) > 0 { // other connections use the key, and are not in the run
			return
		}
		after, err := run(w, stepsOf(w.plan()), false)
		if err != nil && !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
		for pair := range old {
			if pair != 0 && (after.published[pair] != "" || after.record.ssh == pair || after.record.previous == pair) {
				t.Fatalf("key %d is still there: %+v", pair, *after.record)
			}
		}
	})
}

// TestEmergencyOutlivesCrash: nothing but the record is written before the
// compromised keys are marked; and an emergency that is cut off anywhere after that
// is brought to its end by plans that nobody asks anything of.
func TestEmergencyOutlivesCrash(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := drawWorld(t)
		if len(w.plan().Connections[0].Blocks) > 0 || w.record == nil || w.record.ssh == 0 {
			return
		}
		w.asked = rapid.SampledFrom([]plan.Rotation{{SSH: true, Emergency: "stolen"}, {SSH: true, Consumer: true, Emergency: "stolen"}, {Consumer: true, Emergency: "stolen"}}).Draw(t, "asked")
		old := []int{w.record.ssh, w.record.pending, w.record.previous}
		goesOn := w.record.pairGone == w.record.rsa || w.record.before != 0 && w.record.pairGone == w.record.before
		marked := len(w.record.compromised) > 0 || goesOn
		pair := w.record.rsa
		if !w.asked.Consumer || goesOn {
			pair = 0
		}
		steps := w.plan().Connections[0].Steps()
		if w.leaves || len(w.plan().Connections[0].Blocks) > 0 { // other connections use the key, and are not in the run
			return
		}
		first := slices.IndexFunc(steps, func(s plan.Step) bool { return !isAboutRecord(s) })
		if !marked && (first < 0 || !isMark(steps[first])) {
			t.Fatalf("something is written before the mark: %v", steps)
		}
		upTo := rapid.IntRange(first+1, max(1, len(steps))).Draw(t, "steps")
		after, err := run(w, steps[:upTo], rapid.Bool().Draw(t, "cut"))
		if err != nil && !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
		after.asked = plan.Rotation{}
		end := settle(t, after)
		if pair != 0 && (end.record.rsa == pair || end.record.before == pair || end.consumers[end.link.key].rsa == pair) {
			t.Fatalf("the consumer's pair %d is still there: %+v", pair, *end.record)
		}
		if !w.asked.SSH {
			return
		}
		for _, pair := range old {
			if pair != 0 && (w.record.compromised[pair] || !marked) && (end.published[pair] != "" || end.record.ssh == pair || end.record.pending == pair || end.record.previous == pair) {
				t.Fatalf("key %d is still there: %+v", pair, *end.record)
			}
		}
	})
}

func isMark(s plan.Step) bool { _, ok := s.(plan.MarkCompromised); return ok }

func isAboutRecord(s plan.Step) bool {
	switch s.(type) {
	case plan.NoteConnection, plan.MoveRecord:
		return true
	default:
		return false
	}
}

// TestInSyncAfterApply: when an apply has carried out a whole plan, without anybody's
// click, the next plan is empty. The one exception is a key that was staged so long
// ago that it is due when it is switched to: the rotation after it is the next plan's.
// A rollback begins no rotation either.
func TestInSyncAfterApply(t *testing.T) {
	thousands(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.asked = rapid.SampledFrom(askings()).Draw(t, "asked")
		c := w.plan().Connections[0]
		if len(c.Blocks) > 0 || c.Waits() || w.asked.Rollback || (w.aging || w.expiring) && w.record != nil && w.record.pending != 0 {
			return
		}
		after, err := run(w, stepsOf(w.plan()), false)
		if errors.Is(err, errRefused) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		after.asked = plan.Rotation{}
		if left := after.plan().Connections[0].Steps(); len(left) > 0 {
			t.Fatalf("after %v there is still to do: %v", c.Steps(), left)
		}
	})
}
