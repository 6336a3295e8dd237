package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/secret"
)

// A StoredSecret is a KV version 2 secret that a reference names, as it was read, to
// be changed.
type StoredSecret struct {
	path    string // of the data, below /v1/
	field   string
	fields  map[string]json.RawMessage
	version Version
}

// ReadStored reads the secret that a reference names. ErrNotVersioned: it is in an
// engine that has no versions, so that nothing can be replaced safely.
func (c *Client) ReadStored(ctx context.Context, ref string) (StoredSecret, error) {
	path, field, err := splitRef(ref)
	if err != nil {
		return StoredSecret{}, err
	}
	in, err := c.refMount(ctx, path)
	if err != nil {
		return StoredSecret{}, err
	}
	if in.version != 2 {
		return StoredSecret{}, &Error{Op: "changing", Path: path, Kind: ErrNotVersioned, Hint: "a secret can be replaced safely in a KV version 2 mount only"}
	}
	s := StoredSecret{path: in.path + "/data/" + strings.TrimPrefix(path, in.path+"/"), field: field}
	return s, c.reread(ctx, &s)
}

func (c *Client) reread(ctx context.Context, s *StoredSecret) error {
	req := request{op: "reading", path: s.path, needs: `"read", "update"`}
	data, have, err := fetch[versioned[map[string]json.RawMessage]](ctx, c, req)
	switch {
	case err != nil:
		return err
	case data == nil:
		return absent(req, have)
	case data.Data == nil || data.Metadata == nil || have.status != http.StatusOK:
		return &Error{Op: req.op, Path: req.path, Status: have.status, Kind: ErrDeleted, Hint: "vault kv undelete, or vault kv rollback"}
	}
	s.fields, s.version = data.Data, data.Metadata.Version
	return nil
}

// Value returns the field that the reference names.
func (s StoredSecret) Value() (secret.Text, error) { return pick(s.fields, s.path, s.field) }

// Note returns a string that is kept in the secret beside the field, in one named after it.
func (s StoredSecret) Note(suffix string) string {
	var text string
	_ = json.Unmarshal(s.fields[s.field+suffix], &text) // another type is not ours
	return text
}

// With returns the secret with another value; the empty one leaves it as it is.
func (s StoredSecret) With(value secret.Text) StoredSecret {
	if !value.Empty() {
		s = s.set(s.field, value.Reveal())
	}
	return s
}

// WithNote returns the secret with another note, "" for none.
func (s StoredSecret) WithNote(suffix, note string) StoredSecret { return s.set(s.field+suffix, note) }

func (s StoredSecret) set(name, text string) StoredSecret {
	s.fields = maps.Clone(s.fields)
	if text == "" {
		delete(s.fields, name)
		return s
	}
	encoded, err := json.Marshal(text)
	if err != nil { // a string always encodes
		panic(err)
	}
	s.fields[name] = encoded
	return s
}

// WriteStored writes the secret if nobody changed it since it was read: else it is
// ErrConflict. A lost answer is settled by reading: ErrUnknownOutcome says that it
// could not be. The secret is returned as it is there then.
func (c *Client) WriteStored(ctx context.Context, s StoredSecret) (StoredSecret, error) {
	err := c.putStored(ctx, s)
	if unsure(err) {
		now := s
		switch readErr := c.reread(ctx, &now); {
		case readErr != nil:
			return s, &Error{Op: "writing", Path: s.path, Kind: ErrUnknownOutcome, Cause: errors.Join(err, readErr), Hint: "run again: the next run reads it first"}
		case now.version == s.version:
			err = c.putStored(ctx, s)
		case reflect.DeepEqual(now.fields, s.fields):
			return now, nil
		default:
			err = &Error{Op: "writing", Path: s.path, Kind: ErrConflict, Hint: "someone else changed it: run again"}
		}
	}
	if err == nil {
		s.version++
	}
	return s, err
}

func (c *Client) putStored(ctx context.Context, s StoredSecret) error {
	req := request{
		op: "writing", path: s.path, needs: `"read", "update"`, nonIdempotent: true,
		body: map[string]any{"options": map[string]any{"cas": s.version}, "data": s.fields},
	}
	ctx = httpx.WithSecrets(ctx, func() []secret.Text {
		value, _ := s.Value()
		return []secret.Text{value}
	})
	have, err := c.do(ctx, req)
	switch {
	case err != nil:
		return err
	case mentions(have.errors, "did not match the current version"):
		return &Error{Op: req.op, Path: req.path, Status: have.status, Kind: ErrConflict, Hint: "someone else changed it: run again"}
	case have.status >= http.StatusBadRequest:
		return &Error{Op: req.op, Path: req.path, Status: have.status, Texts: have.errors}
	}
	return nil
}

// splitRef takes a reference apart, which is mount/path#field.
func splitRef(ref string) (path, field string, err error) {
	path, field, ok := strings.Cut(ref, "#")
	path = strings.Trim(path, "/")
	if !ok || field == "" || !strings.Contains(path, "/") {
		return "", "", fmt.Errorf("vault: %w: %q (want mount/path#field)", ErrBadReference, clean(ref))
	}
	if err := checkPath(path); err != nil {
		return "", "", fmt.Errorf("vault: %w: %w", ErrBadReference, err)
	}
	return path, field, nil
}
