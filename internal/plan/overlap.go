package plan

import (
	"fmt"
	"time"
)

// useTolerance is how much later than bbsync's own login, or than the switch, a
// login must be to be somebody else's. Both times are of Bitbucket's clock,
// which is known to about a second.
const useTolerance = 3 * time.Second

// An overlap is the time in which both the current and the previous key are on
// Bitbucket.
type overlap struct {
	until   time.Time // zero: not known yet
	over    bool
	why     string
	warning string
}

func (s overlap) String() string {
	if s.until.IsZero() {
		return "the previous SSH key stays on Bitbucket: " + s.why
	}
	return fmt.Sprintf("the previous SSH key stays on Bitbucket until %s: %s", s.until.UTC().Format(minutes), s.why)
}

// overlapOf says whether the previous key may go. It may when the overlap has
// passed, or earlier when the server has seen the new key in use and has not
// seen the old one since the switch.
func overlapOf(current, previous *Key, have Have, lasts time.Duration, now time.Time) overlap {
	if current == nil || current.Set.IsZero() {
		return overlap{why: "Terraform does not hold the current one yet"}
	}
	s := overlap{until: current.Set.Add(lasts)}
	used, old := newInUse(current, have), oldInUse(previous, have)
	if !old.IsZero() {
		s.warning = fmt.Sprintf("the previous SSH key was used at %s, after Terraform was given another: somebody else uses it", old.UTC().Format(minutes))
	}
	passed := !now.Before(s.until)
	switch end := have.Keys[current.Fingerprint].Expires; {
	case !end.IsZero() && !now.Before(end):
		s.over, s.why = true, "the current one expired on "+day(end)
	case !used.IsZero() && old.IsZero():
		s.over, s.why = true, "the new one is in use"
	case passed && !old.IsZero() && used.IsZero():
		// All signs say that Terraform still logs in with the old key: to delete it
		// would be an outage.
		s.why = "the overlap has passed, but the old one is in use and the new one is not"
		s.warning += "; if it is not Terraform, end it with bbsync rotate --emergency"
		s.until = time.Time{}
	case passed:
		s.over, s.why = true, "the overlap has passed"
	case have.Bitbucket != nil && have.Bitbucket.KeyUsage:
		s.why = "the overlap lasts until then, or until Bitbucket sees the new one in use"
	default:
		s.why = "the overlap lasts until then, as this Bitbucket does not tell which keys are in use"
	}
	return s
}

// SeenInUse reports whether the server has seen somebody other than bbsync use the
// current key.
func SeenInUse(have Have) bool {
	return have.Record != nil && have.Record.Current != nil && !newInUse(have.Record.Current, have).IsZero()
}

// newInUse returns when the current key was used by somebody other than bbsync,
// zero when that was not seen.
func newInUse(k *Key, have Have) time.Time {
	since := k.Proved
	if since.IsZero() {
		since = k.Set
	}
	return usedAfter(k, since, have)
}

// oldInUse returns when the previous key was used after Terraform was given
// another, zero when that was not seen.
func oldInUse(k *Key, have Have) time.Time {
	if k.Left.IsZero() {
		return time.Time{}
	}
	since := k.Left
	if k.Proved.After(since) {
		since = k.Proved
	}
	return usedAfter(k, since, have)
}

func usedAfter(k *Key, since time.Time, have Have) time.Time {
	if used := have.Keys[k.Fingerprint].LastUsed; used.After(since.Add(useTolerance)) {
		return used
	}
	return time.Time{}
}
