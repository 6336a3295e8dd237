package plan

import "fmt"

// A Rotation is what the caller asks for beside what the configuration says. The zero
// value asks for nothing.
type Rotation struct {
	SSH, Consumer bool   // new keys now, whatever their age and the maintenance window
	Emergency     string // the reason: the old SSH keys go at once
	Rollback      bool   // back to the SSH key before
	// Hold begins nothing that only time or use has brought about: neither a
	// rotation by age nor the end of an overlap. So an apply is checked, during which
	// Terraform may have used a new key already.
	Hold bool
	// RemoveUnknownKeys removes the SSH keys of service users that nothing knows.
	RemoveUnknownKeys bool
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

// An Ask is what a Rotation asks of one connection, as a condition on its world: it
// holds or it does not, whatever made it hold. The zero value asks for nothing.
type Ask struct {
	NotKey   string   // fingerprint that the SSH key in use must not have
	Key      string   // fingerprint that the SSH key in use must have, with none staged beside it
	NotPair  string   // fingerprint that the consumer's pair in use must not have
	Nowhere  []string // fingerprints of SSH keys that must be on no system and in no record
	PairGone bool     // NotPair is compromised
	Why      string   // the emergency: of Nowhere, and of NotPair where it is compromised
	How      string   // the rotation in words
	Hold     bool     // nothing begins that time or use alone has brought about
}

// Resolve makes a condition of a wish, once, on the world that it is asked of: "a new
// key" is "not this one". Asking again for an emergency that is under way continues it.
func Resolve(r Rotation, w World) Ask {
	ask := Ask{Hold: r.Hold, Why: r.Emergency, How: r.String()}
	record := w.Record
	if record == nil {
		return ask // nothing was made yet: all that will be there is new
	}
	if c := record.Consumer; c != nil && r.Consumer && !r.Rollback && (r.Emergency == "" || c.PreviousCompromised == "") {
		ask.NotPair, ask.PairGone = c.Fingerprint, r.Emergency != ""
	}
	if record.Current == nil {
		return ask
	}
	switch {
	case r.Emergency != "" && r.SSH && !w.inEmergency():
		for _, k := range w.keys() {
			ask.Nowhere = append(ask.Nowhere, k.Fingerprint)
		}
	case r.Emergency != "":
	case r.Rollback:
		ask.Key = w.before()
	case r.SSH:
		ask.NotKey = record.Current.Fingerprint
	}
	return ask
}

// before returns the fingerprint of the key to go back to; that of the key in use
// where there is no way back. A key that was left once tells that the way back was
// taken already, so that asking twice, as after a crash, is asking once.
func (w *World) before() string {
	r := w.Record
	switch {
	case r.Pending != nil && !r.Pending.Left.IsZero():
		return r.Pending.Fingerprint
	case r.Pending == nil && r.Previous != nil && r.Current.Left.IsZero() && w.wayBack(r.Previous) == "":
		return r.Previous.Fingerprint
	}
	return r.Current.Fingerprint
}

// wayBack says why Terraform cannot be given a key again, "" if it can.
func (w *World) wayBack(k *Key) string {
	switch {
	case k.PrivateElsewhere:
		return "only Terraform had its private half"
	case w.expired(k.Fingerprint):
		return "it expired on " + day(w.Keys[k.Fingerprint].Expires)
	case w.onOldUser(k) && len(w.Shared[k.Fingerprint]) > 0:
		return w.Shared[k.Fingerprint][0].Address + " uses it on " + w.Record.About.ServiceUser
	}
	return ""
}
