package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/record"
)

// Write writes the record, if the version that is there is cas; else it is
// ErrConflict. The version written is returned. When the answer is lost, Write
// finds out whether the record was written, and writes again if it was not.
func (c *Client) Write(ctx context.Context, path string, r record.Record, cas Version) (Version, error) {
	version, _, err := c.write(ctx, path, r, cas)
	return version, err
}

// write is Write that also returns when Vault deletes the version by itself; zero
// when never, or when the answer was lost.
func (c *Client) write(ctx context.Context, path string, r record.Record, cas Version) (Version, time.Time, error) {
	if err := checkPath(path); err != nil {
		return 0, time.Time{}, fmt.Errorf("vault: record: %w", err)
	}
	fields, err := record.Encode(r, rand.Text())
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("vault: %s: %w", c.shown(path), err)
	}
	return c.writeFields(ctx, path, fields, cas)
}

// writeFields writes fields that carry a nonce of their own.
func (c *Client) writeFields(ctx context.Context, path string, fields record.Fields, cas Version) (Version, time.Time, error) {
	w := write{c: c, path: path, fields: fields, nonce: fields.Nonce(), cas: cas}
	version, err := w.put(ctx)
	for unsure(err) {
		if version, err = w.settle(ctx, err); err == nil || !unsure(err) {
			break
		}
		version, err = w.put(ctx)
	}
	return version, w.deletes, err
}

// A write is one Write under way.
type write struct {
	c      *Client
	path   string
	fields record.Fields
	nonce  string
	cas    Version

	deletes time.Time // when Vault deletes what was written

	began time.Time // when the first answer was lost
	wait  time.Duration
}

// unsure reports whether the write may or may not have happened.
func unsure(err error) bool {
	return lost(err) && !errors.Is(err, ErrUnknownOutcome)
}

func (w *write) put(ctx context.Context) (Version, error) {
	req := request{
		op: "writing", path: w.c.dataPath(w.path), needs: `"create", "read", "update"`, nonIdempotent: true,
		body: map[string]any{"options": map[string]any{"cas": w.cas}, "data": w.fields},
	}
	data, have, err := fetch[versionMetadata](ctx, w.c, req)
	if err != nil {
		if ctx.Err() != nil {
			return 0, w.unknown(err)
		}
		return 0, err
	}
	e := &Error{Op: req.op, Path: req.path, Status: have.status, Texts: have.errors}
	switch {
	case have.status == http.StatusBadRequest && mentions(have.errors, "did not match the current version"):
		if !w.began.IsZero() { // perhaps our own, whose answer was lost, came in late
			if version, mine, err := w.landed(ctx); err == nil && mine {
				return version, nil
			}
		}
		e.Kind = ErrConflict
		return 0, e
	case have.status == http.StatusNotFound:
		e.Kind = ErrNoMount
		return 0, e
	case have.status >= http.StatusBadRequest:
		return 0, e
	}
	if data == nil || data.Version == 0 {
		// Version 1 stores whatever it is sent, and answers 204.
		return 0, w.c.notVersioned()
	}
	if data.Version != w.cas+1 {
		// An answer to another write: something in between repeats what it has seen.
		// What was meant to be written may not be, so that nobody may build on it.
		e.Kind, e.Hint = ErrBrokenAnswer, fmt.Sprintf("the answer speaks of version %d, and %d was to be written: does a proxy keep answers?", data.Version, w.cas+1)
		return 0, e
	}
	w.deletes = data.Deletes.Time
	return data.Version, nil
}

// settle finds out what became of a write whose answer was lost. It returns an
// unsure error when it is certain that nothing was written so far: then the same
// fields may be sent again, since only one of the two can win the version.
func (w *write) settle(ctx context.Context, cause error) (Version, error) {
	if w.began.IsZero() {
		w.began, w.wait = time.Now(), 100*time.Millisecond
	}
	version, mine, err := w.landed(ctx)
	switch {
	case err != nil:
		return 0, w.unknown(errors.Join(cause, err))
	case mine:
		return version, nil
	case version > w.cas:
		return 0, &Error{Op: "writing", Path: w.c.dataPath(w.path), Kind: ErrConflict}
	case time.Since(w.began) > w.c.cfg.Patience:
		// The request may still be on its way.
		return 0, w.unknown(cause)
	}
	if err := httpx.Sleep(ctx, w.wait); err != nil {
		return 0, w.unknown(errors.Join(cause, err))
	}
	w.wait = min(2*w.wait, 3*time.Second)
	return 0, cause
}

// landed looks whether the version after cas is the one written here. If it is
// not, the newest version that is known is returned.
func (w *write) landed(ctx context.Context) (Version, bool, error) {
	for _, ask := range []Version{w.cas + 1, 0} {
		fields, about, err := w.c.read(ctx, w.path, ask)
		version := about.Version
		switch {
		case err == nil && fields.Nonce() == w.nonce:
			return version, true, nil
		case err == nil && (ask == 0 || version > w.cas):
			return version, false, nil
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrDeleted) && ask != 0:
		case errors.Is(err, ErrDeleted):
			return version, false, nil
		case err != nil:
			return 0, false, err
		}
	}
	return 0, false, nil
}

func (w *write) unknown(cause error) error {
	return &Error{
		Op: "writing", Path: w.c.dataPath(w.path), Kind: ErrUnknownOutcome, Cause: cause,
		Hint: "the record may or may not be written; run again, the next run reads it first",
	}
}
