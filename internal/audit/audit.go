// Package audit keeps the trail of what was done: one line of JSON for each
// deed, each naming the hash of the line before it, so that a line that was
// changed, removed, added or moved is found. A line is on the disk before the
// next step begins. A trail holds no secret: keys are named by fingerprint.
//
// Whoever may write the file can write all of it anew. Against that helps only
// what the file's owner cannot reach: a copy of the newest hash, kept
// elsewhere. The package does not sign, ship or rotate trails.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/bbsync/bbsync/internal/plaintext"
)

// An Entry is one deed.
type Entry struct {
	Time         time.Time         `json:"time"`
	Run          string            `json:"run"` // one name for all that a process did
	Who          string            `json:"who"` // user, host and process
	Fleet        string            `json:"fleet"`
	Address      string            `json:"address,omitempty"` // "": about the run
	Step         string            `json:"step"`              // its kind, as create_client; run: about the run
	What         string            `json:"what"`              // as the plan showed it
	Result       Result            `json:"result"`
	Error        string            `json:"error,omitempty"`
	Fingerprints map[string]string `json:"fingerprints,omitempty"` // of the record's public keys, by role
	Proof        string            `json:"proof,omitempty"`        // what a system answered
}

// Result is how a deed ended.
type Result string

// The results.
const (
	Began  Result = "began" // a run
	Done   Result = "done"
	Failed Result = "failed"
	Ended  Result = "ended" // a run
)

// start is what the first line of a trail names as the hash before it.
const start = "0000000000000000000000000000000000000000000000000000000000000000"

// A line is an entry in its place.
type line struct {
	Seq int `json:"seq"`
	Entry
	Torn string `json:"torn,omitempty"` // hash of the unfinished line before this one
	Prev string `json:"prev"`
}

// place is where a trail goes on.
type place struct {
	seq  int
	prev string
	torn string
	open bool // the last line has no end
}

// hashed matches the end of a line: the hash of all that is before it.
var hashed = regexp.MustCompile(`,"hash":"([0-9a-f]{64})"}$`)

// encode returns the line's bytes, in ASCII whatever was in the
// names, and its hash.
func encode(e Entry, at place) ([]byte, string, error) {
	e.Time = e.Time.UTC()
	text, err := json.Marshal(line{Seq: at.seq + 1, Entry: e, Torn: at.torn, Prev: at.prev})
	if err != nil {
		return nil, "", fmt.Errorf("encoding an audit entry: %w", err)
	}
	body := bytes.TrimSuffix(plaintext.ASCIIJSON(text), []byte("}"))
	hash := digest(body)
	return append(body, `,"hash":"`+hash+`"}`+"\n"...), hash, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// A Trail is where entries go. It is safe for concurrent use.
type Trail struct {
	file string

	mu sync.Mutex
	w  io.Writer // nil: file
	at place
}

// To returns a trail that begins here and goes to w.
func To(w io.Writer) *Trail { return &Trail{w: w, at: place{prev: start}} }

// Append writes one entry. When it returns nil, the entry is in its place, and
// on the disk if the trail is a file.
func (t *Trail) Append(e Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.w == nil {
		return t.toFile(e)
	}
	text, hash, err := encode(e, t.at)
	if err != nil {
		return err
	}
	if _, err := t.w.Write(text); err != nil {
		return fmt.Errorf("writing the audit trail: %w", err)
	}
	t.at = place{seq: t.at.seq + 1, prev: hash}
	return nil
}

// Torn reports whether the trail ended in an unfinished line when it was opened.
// The next entry vouches for the bytes of that line, not for what they say.
func (t *Trail) Torn() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at.torn != ""
}

// Head returns how many entries the trail has after the last one appended here,
// and the hash of that one.
func (t *Trail) Head() (entries int, hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at.seq, t.at.prev
}
