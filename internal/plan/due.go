package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/bbsync/bbsync/schema"
)

const (
	daily   = 24 * time.Hour
	soon    = 7 * daily // what is due within it is told
	minutes = "2006-01-02 15:04 MST"

	// jitterShare spreads a fleet's rotations: each connection's due date is moved
	// by up to this share of the period, always by the same.
	jitterShare = 0.10
	// overdueShare is how far past its period a key may get before a maintenance
	// window no longer holds it back.
	overdueShare = 1.25
	// A key that the server lets expire is due at lifeShare of its life, and not
	// later than expiryMargin before the end if its life is long enough for that.
	lifeShare    = 2.0 / 3
	expiryMargin = 14 * daily
)

// due says when a key is to be rotated by age; the zero value: never.
type due struct {
	at, overdue time.Time
	why         string
	attribute   string // of the files, that says so
}

// isOverdue reports whether no maintenance window holds it back any more.
func (d due) isOverdue(now time.Time) bool { return !d.overdue.IsZero() && !now.Before(d.overdue) }

// sshDue returns when the SSH key is due: by its age or by the server's expiry,
// whichever is sooner. A key that its owner brings is never due: bbsync cannot
// make the next one.
func sshDue(want *schema.Connection, key *Key, live SSHKey) due {
	if want.SSHKey.Private != nil {
		return due{}
	}
	at := byAge(want.Address+" ssh", key.Created, want.SSHKey.RotateAfter)
	at.attribute = "ssh_key.rotate_after"
	if end := byExpiry(want.Address, key, live); !end.at.IsZero() {
		if at.at.IsZero() || end.at.Before(at.at) {
			at.at, at.why, at.attribute = end.at, end.why, end.attribute
		}
		if at.overdue.IsZero() || end.overdue.Before(at.overdue) {
			at.overdue = end.overdue
		}
	}
	return at
}

// consumerDue returns when the consumer's pair is due.
func consumerDue(want *schema.Connection, key *ConsumerKey) due {
	if want.Consumer.Private != nil {
		return due{}
	}
	at := byAge(want.Address+" consumer", key.Created, want.Consumer.RotateAfter)
	at.attribute = "consumer.rotate_after"
	return at
}

func byAge(name string, created time.Time, after time.Duration) due {
	if after <= 0 || created.IsZero() {
		return due{}
	}
	return due{
		at:      created.Add(after + share(after, jitterShare*jitter(name))),
		overdue: created.Add(share(after, overdueShare)),
		why:     fmt.Sprintf("rotate_after is %s, spread by a tenth", days(after)),
	}
}

// byExpiry counts the server's expiry as age. Servers that were told to let keys
// expire treat those from before as made on that day, so that a whole fleet may
// expire at once: the due dates are spread here too, to the earlier side only.
func byExpiry(address string, key *Key, live SSHKey) due {
	if live.Expires.IsZero() {
		return due{}
	}
	begin := live.Created
	if begin.IsZero() {
		begin = key.Created
	}
	life := live.Expires.Sub(begin)
	at := begin.Add(share(life, lifeShare))
	if latest := live.Expires.Add(-expiryMargin); life > 2*expiryMargin && latest.Before(at) {
		at = latest
	}
	earlier := (jitter(address+" expiry") + 1) / 2
	at = at.Add(-share(life, jitterShare*earlier))
	return due{
		at:      at,
		overdue: live.Expires.Add(-min(soon, life/6)),
		why:     "Bitbucket lets it expire on " + day(live.Expires),
	}
}

// share returns a part of a duration.
func share(d time.Duration, part float64) time.Duration { return time.Duration(float64(d) * part) }

// jitter returns a number in [-1, 1) that is always the same for a name.
func jitter(name string) float64 {
	sum := sha256.Sum256([]byte(name))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11)/float64(1<<52) - 1
}

// window reports whether keys may rotate by age at this time, and if not, when
// the window opens next; zero: never. A window is open for its duration from
// each time of its schedule on.
func window(w *schema.Maintenance, now time.Time) (bool, time.Time) {
	if w == nil {
		return true, time.Time{}
	}
	schedule, err := cron.ParseStandard(w.Schedule)
	zone, zoneErr := time.LoadLocation(w.TimeZone)
	if err != nil || zoneErr != nil { // schema has checked both: nothing is held back for a mistake here
		return true, time.Time{}
	}
	local := now.In(zone)
	if opened := schedule.Next(local.Add(-w.Duration)); !opened.IsZero() && !opened.After(local) {
		return true, time.Time{}
	}
	return false, schedule.Next(local)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// days shows a duration as people count keys' ages.
func days(d time.Duration) string {
	switch n := int(d / daily); {
	case d < 0:
		return "0 hours"
	case n >= 2:
		return fmt.Sprintf("%d days", n)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return fmt.Sprintf("%d minutes", int(d/time.Minute))
}
