package drift

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/bbsync/bbsync/internal/plan"
)

// snapshotVersion is of a snapshot's JSON.
const snapshotVersion = "1.0"

// Snapshot is what a run saw, as far as the next run needs it to see what changed:
// states and digests. It can be lost: then all that is not in sync is reported
// again.
type Snapshot struct {
	FormatVersion string          `json:"format_version"`
	Fleet         string          `json:"fleet"`
	Failed        bool            `json:"failed"` // the look as a whole
	Seen          map[string]Seen `json:"seen"`   // by address
}

// Seen is one connection, or one Bitbucket for all of its connections.
type Seen struct {
	State  plan.State `json:"state"`
	Digest string     `json:"digest"`
	Since  time.Time  `json:"since,omitzero"` // when a run first saw it so
}

// Change is an entry that is not as the run before saw it.
type Change struct {
	Entry
	Before      plan.State
	BeforeSince time.Time // zero when the entry was not known before
}

// DecodeSnapshot reads a snapshot.
func DecodeSnapshot(text []byte) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		return Snapshot{}, fmt.Errorf("not a state of bbsync drift: %w", err)
	}
	if s.FormatVersion != snapshotVersion {
		return Snapshot{}, fmt.Errorf("the state has format %q, and this bbsync knows %s", s.FormatVersion, snapshotVersion)
	}
	return s, nil
}

// Encode returns the snapshot as a file's text.
func (s Snapshot) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the state: %w", err)
	}
	return append(text, '\n'), nil
}

// Next returns the snapshot after a run, and what changed since the one before. A
// connection that an apply is at keeps its state: what it is in the middle of is
// no news. What the look was not asked about is kept unless it was whole.
func (s Snapshot) Next(d Report, whole bool) (Snapshot, []Change) {
	next := Snapshot{FormatVersion: snapshotVersion, Fleet: d.Fleet, Seen: map[string]Seen{}}
	if s.Fleet != d.Fleet {
		s = Snapshot{} // another fleet's
	}
	if !whole {
		maps.Copy(next.Seen, s.Seen)
	}
	var changed []Change
	for _, e := range d.Entries() {
		before, known := s.Seen[e.Address]
		if !known {
			before = Seen{State: plan.StateInSync}
		}
		now := Seen{State: e.State, Digest: digest(e), Since: d.Time}
		if e.State == plan.StateLeased || now.State == before.State && now.Digest == before.Digest {
			now = before
		} else {
			changed = append(changed, Change{e, before.State, before.Since})
		}
		if now.Since.IsZero() {
			now.Since = d.Time
		}
		next.Seen[e.Address] = now
	}
	return next, changed
}

// Failing returns the snapshot after a run that failed as a whole, and whether
// that is news.
func (s Snapshot) Failing(fleet string) (next Snapshot, news bool) {
	next = s
	next.FormatVersion, next.Fleet, next.Failed = snapshotVersion, fleet, true
	return next, !s.Failed || s.Fleet != fleet
}

// digest names what an entry says. Why a system did not answer is often told in
// other words each time, and is no news each time.
func digest(e Entry) string {
	if e.State == plan.StateInSync {
		return ""
	}
	parts := []any{e.State}
	for _, d := range e.Differences {
		parts = append(parts, d.Kind, d.What, d.Live, d.Want) // not the place: editing a comment is no drift
	}
	for _, b := range e.Blocks {
		parts = append(parts, b.Kind)
		if b.Kind != string(plan.Unreadable) {
			parts = append(parts, b.Text)
		}
	}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(parts); err != nil { // texts: a bug, not an event
		panic(fmt.Sprintf("encoding an entry: %v", err))
	}
	sum := sha256.Sum256(text.Bytes())
	return hex.EncodeToString(sum[:])[:16]
}
