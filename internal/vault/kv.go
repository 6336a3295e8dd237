package vault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Version counts the writes of one secret, from 1. As the expectation of a
// write, 0 means that there must be none yet.
type Version int

// updateTries bounds read-change-write loops. Each turn is lost to another
// writer who got on, so the bound is met only when something is very wrong.
const updateTries = 20

// Read returns the record at path, which is below Config.Path. A missing record is
// ErrNotFound; a deleted one a DeletedError with the version to go on from.
func (c *Client) Read(ctx context.Context, path string) (Record, Version, error) {
	doc, version, err := c.read(ctx, path, 0)
	if err != nil {
		return Record{}, version, err
	}
	r, err := decode(doc)
	if err != nil {
		return Record{}, version, fmt.Errorf("vault: %s: %w", c.shown(path), err)
	}
	return r, version, nil
}

// read reads one version, or the newest for 0.
func (c *Client) read(ctx context.Context, path string, version Version) (document, Version, error) {
	if err := checkPath(path); err != nil {
		return nil, 0, fmt.Errorf("vault: record: %w", err)
	}
	q := question{op: "reading", path: c.dataPath(path), needs: `"create", "read", "update"`}
	if version != 0 {
		q.query = url.Values{"version": {strconv.Itoa(int(version))}}
	}
	have, err := c.ask(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	return c.versioned(q, path, have)
}

// versioned takes a KV version 2 answer apart. A deleted version comes with
// status 404 and its metadata; an absent one with 404 and nothing.
func (c *Client) versioned(q question, path string, have answer) (document, Version, error) {
	if len(have.data) == 0 || string(have.data) == "null" {
		return nil, 0, absent(q, have)
	}
	var data struct {
		Data     document `json:"data"`
		Metadata *struct {
			Version   Version `json:"version"`
			Destroyed bool    `json:"destroyed"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(have.data, &data); err != nil {
		return nil, 0, &Error{Op: q.op, Path: q.path, Status: have.status, Kind: ErrNotRecord, Cause: err}
	}
	switch m := data.Metadata; {
	case m == nil || m.Version == 0:
		return nil, 0, c.notVersioned()
	case data.Data == nil:
		return nil, m.Version, &DeletedError{Path: c.shown(path), Version: m.Version, Destroyed: m.Destroyed}
	default:
		return data.Data, m.Version, nil
	}
}

// absent tells a missing secret from a missing mount.
func absent(q question, have answer) error {
	e := &Error{Op: q.op, Path: q.path, Status: have.status, Texts: have.errors, Kind: ErrNotFound}
	switch {
	case have.status != http.StatusNotFound:
		e.Kind, e.Hint = ErrUnavailable, "the answer holds no data"
	case len(have.errors) > 0:
		e.Kind, e.Hint = ErrNoMount, "vault secrets list shows those that are there"
	}
	return e
}

// Write writes the record, if the version that is there is cas; else it is
// ErrConflict. The version written is returned. When the answer is lost, Write
// finds out whether the record was written, and writes again if it was not.
func (c *Client) Write(ctx context.Context, path string, r Record, cas Version) (Version, error) {
	if err := checkPath(path); err != nil {
		return 0, fmt.Errorf("vault: record: %w", err)
	}
	nonce := rand.Text()
	doc, err := encode(r, nonce)
	if err != nil {
		return 0, fmt.Errorf("vault: %s: %w", c.shown(path), err)
	}
	w := write{c: c, path: path, doc: doc, nonce: nonce, cas: cas}
	version, err := w.put(ctx)
	for unsure(err) {
		if version, err = w.settle(ctx, err); err == nil || !unsure(err) {
			break
		}
		version, err = w.put(ctx)
	}
	return version, err
}

// A write is one Write under way.
type write struct {
	c     *Client
	path  string
	doc   document
	nonce string
	cas   Version
	began time.Time // when the first answer was lost
	wait  time.Duration
}

// unsure reports whether the write may or may not have happened.
func unsure(err error) bool {
	return errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrUnknownOutcome) && !refused(err)
}

func (w *write) put(ctx context.Context) (Version, error) {
	q := question{
		op: "writing", path: w.c.dataPath(w.path), needs: `"create", "read", "update"`, once: true,
		body: map[string]any{"options": map[string]any{"cas": w.cas}, "data": w.doc},
	}
	have, err := w.c.ask(ctx, q)
	if err != nil {
		if ctx.Err() != nil {
			return 0, w.unknown(err)
		}
		return 0, err
	}
	e := &Error{Op: q.op, Path: q.path, Status: have.status, Texts: have.errors}
	switch {
	case have.status == http.StatusBadRequest && mentions(have.errors, "did not match the current version"):
		if !w.began.IsZero() { // perhaps our own, whose answer was lost, came in late
			if version, mine, err := w.landed(ctx); err == nil && mine {
				return version, nil
			}
		}
		e.Kind, e.Hint = ErrConflict, "read it again"
		return 0, e
	case have.status == http.StatusNotFound:
		e.Kind, e.Hint = ErrNoMount, "vault secrets list shows those that are there"
		return 0, e
	case have.status >= http.StatusBadRequest:
		return 0, e
	}
	var data struct {
		Version Version `json:"version"`
	}
	if json.Unmarshal(have.data, &data) != nil || data.Version == 0 {
		// Version 1 stores whatever it is sent, and answers 204.
		return 0, w.c.notVersioned()
	}
	return data.Version, nil
}

// settle finds out what became of a write whose answer was lost. It returns an
// unsure error when it is certain that nothing was written so far: then the same
// document may be sent again, since only one of the two can win the version.
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
		return 0, &Error{Op: "writing", Path: w.c.dataPath(w.path), Kind: ErrConflict, Hint: "read it again"}
	case time.Since(w.began) > w.c.cfg.Patience:
		// The request may still be on its way.
		return 0, w.unknown(cause)
	}
	if err := sleep(ctx, w.wait); err != nil {
		return 0, w.unknown(errors.Join(cause, err))
	}
	w.wait = min(2*w.wait, 3*time.Second)
	return 0, cause
}

// landed looks whether the version after cas is the one written here. If it is
// not, the newest version that is known is returned.
func (w *write) landed(ctx context.Context) (Version, bool, error) {
	for _, ask := range []Version{w.cas + 1, 0} {
		doc, version, err := w.c.read(ctx, w.path, ask)
		switch {
		case err == nil && doc.text("nonce") == w.nonce:
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

// Update changes the record, reading again and starting over when someone else
// was faster: change may be called several times, each time with the record as it
// is. The lease is not changed, nor asked for: a holder's next write reads again.
// If change changes nothing, nothing is written.
func (c *Client) Update(ctx context.Context, path string, change func(*Record) error) (Record, error) {
	for range updateTries {
		r, version, err := c.Read(ctx, path)
		if err != nil {
			return Record{}, err
		}
		before, err := encode(r, "")
		if err != nil {
			return Record{}, fmt.Errorf("vault: %s: %w", c.shown(path), err)
		}
		lease := r.Lease
		if err := change(&r); err != nil {
			return Record{}, err
		}
		r.Lease = lease
		after, err := encode(r, "")
		if err != nil {
			return Record{}, fmt.Errorf("vault: %s: %w", c.shown(path), err)
		}
		if before.equal(after) {
			return r, nil
		}
		if _, err = c.Write(ctx, path, r, version); err == nil {
			return r, nil
		} else if !errors.Is(err, ErrConflict) {
			return Record{}, err
		}
	}
	return Record{}, fmt.Errorf("vault: %s: %w, %d times in a row (who else is writing?)", c.shown(path), ErrConflict, updateTries)
}

func (c *Client) dataPath(path string) string {
	return c.cfg.Mount + "/data/" + c.cfg.Path + "/" + path
}

func (c *Client) metadataPath(path string) string {
	return c.cfg.Mount + "/metadata/" + c.cfg.Path + "/" + path
}

// shown is the path as the vault command takes it.
func (c *Client) shown(path string) string { return c.cfg.Mount + "/" + c.cfg.Path + "/" + path }
