package record

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/fault"
)

// format is the number of the stored form. It grows when an older bbsync must not
// write such records any more; a new field alone does not need it, since unknown
// fields are kept.
const format = 1

// Fields is a record as it is stored: one flat object, so that "vault kv get -field"
// and Vault's own page show it well. All fields of bbsync are strings, since Vault
// rounds large numbers; a field of someone else may be anything that JSON has.
type Fields map[string]any

// What is wrong with a secret that was read as a record; ask with errors.Is.
var (
	ErrNotRecord = fault.New(fault.BrokenAnswer, "not a record of bbsync",
		"another secret is at this path: give the connection another record, or move that secret")
	ErrNewerFormat = fault.New(fault.Unsupported, "written by a newer bbsync", "update bbsync")
)

// Nonce returns the mark of the write that stored the fields; "" for none.
func (f Fields) Nonce() string {
	nonce, _ := f["nonce"].(string)
	return nonce
}

func (f Fields) put(key, value string) {
	if value != "" {
		f[key] = value
	}
}

func (f Fields) putTime(key string, t time.Time) {
	if !t.IsZero() {
		f[key] = t.UTC().Format(time.RFC3339Nano)
	}
}

func (f Fields) putBool(key string, b bool) {
	if b {
		f[key] = "true"
	}
}

// A reader takes the known fields out of a record. What is left is unknown.
type reader struct {
	left  Fields
	taken int   // fields that were there and not empty
	err   error // the first
}

// fail keeps the first error. It does not quote the value, which may be a secret.
func (r *reader) fail(key, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: field %q is not %s", ErrNotRecord, strings.Clone(key), want) // a clone, so that key stays off the heap
	}
}

func (r *reader) checkFormat() error {
	text := r.text("format")
	n, err := strconv.Atoi(text)
	switch {
	case r.err != nil:
		return r.err
	case err != nil || n < 1:
		return fmt.Errorf("%w: it has no format number", ErrNotRecord)
	case n > format:
		return fmt.Errorf("%w: it has format %d, this bbsync knows %d", ErrNewerFormat, n, format)
	}
	return nil
}

func (r *reader) text(key string) string {
	value, ok := r.left[key]
	if !ok {
		return ""
	}
	delete(r.left, key)
	text, ok := value.(string)
	if !ok && value != nil {
		r.fail(key, "a string")
	}
	if text != "" {
		r.taken++
	}
	return text
}

func (r *reader) bool(key string) bool { return r.text(key) == "true" }

// number returns 0 for a missing field.
func (r *reader) number(key string) int {
	text := r.text(key)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		r.fail(key, "a number")
	}
	return n
}

// time returns the zero time for a missing field.
func (r *reader) time(key string) time.Time {
	text := r.text(key)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.fail(key, "a time")
	}
	return t.UTC()
}

// any reports whether a field with the prefix is left, which spares looking for
// each field of a key that is not there.
func (r *reader) any(prefix string) bool {
	for key := range r.left {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
