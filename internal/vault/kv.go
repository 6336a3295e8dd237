package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// A Version counts the writes of one secret, from 1. As the expectation of a
// write, 0 means that there must be none yet.
type Version int

// updateTries bounds read-change-write loops. Each turn is lost to another
// writer who got on, so the bound is met only when something is very wrong.
const updateTries = 20

// Read returns the record at path, which is below Config.Path. A missing record is
// ErrNotFound; a deleted one a DeletedError with the version to go on from. One
// that contradicts its private keys is a KeyError, and is returned with it, so
// that it can be said whose it is.
func (c *Client) Read(ctx context.Context, path string) (Record, Version, error) {
	q, err := c.dataQuestion(path, 0)
	if err != nil {
		return Record{}, 0, err
	}
	q.flat = true
	have, err := c.ask(ctx, q)
	if err != nil {
		return Record{}, 0, err
	}
	var r Record
	var version Version
	if have.flat != nil {
		version = have.flat.version
		r, err = decodeFlat(have.flat)
		r.Deletes = have.flat.deletes
	} else {
		doc, about, failed := c.versioned(q, path, have)
		if version = about.Version; failed != nil {
			return Record{}, version, failed
		}
		r, err = decode(doc)
		r.Deletes = about.Deletes.Time
	}
	if err != nil {
		return Record{}, version, fmt.Errorf("vault: %s: %w", c.shown(path), err)
	}
	err = r.deriveKeys()
	if differs, ok := errors.AsType[*KeyError](err); ok {
		differs.Path = c.shown(path)
	}
	return r, version, err
}

// read reads one version, or the newest for 0.
func (c *Client) read(ctx context.Context, path string, version Version) (document, Version, error) {
	q, err := c.dataQuestion(path, version)
	if err != nil {
		return nil, 0, err
	}
	have, err := c.ask(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	doc, about, err := c.versioned(q, path, have)
	return doc, about.Version, err
}

func (c *Client) dataQuestion(path string, version Version) (question, error) {
	if err := checkPath(path); err != nil {
		return question{}, fmt.Errorf("vault: record: %w", err)
	}
	q := question{op: "reading", path: c.dataPath(path), needs: `"create", "read", "update"`}
	if version != 0 {
		q.query = url.Values{"version": {strconv.Itoa(int(version))}}
	}
	return q, nil
}

// versioned takes a KV version 2 answer apart. A deleted version comes with
// status 404 and its metadata; an absent one with 404 and nothing.
func (c *Client) versioned(q question, path string, have answer) (document, versionMetadata, error) {
	if len(have.data) == 0 || string(have.data) == "null" {
		return nil, versionMetadata{}, absent(q, have)
	}
	var data struct {
		Data     document         `json:"data"`
		Metadata *versionMetadata `json:"metadata"`
	}
	if err := json.Unmarshal(have.data, &data); err != nil {
		return nil, versionMetadata{}, &Error{Op: q.op, Path: q.path, Status: have.status, Kind: ErrNotRecord, Cause: err}
	}
	switch m := data.Metadata; {
	case m == nil || m.Version == 0:
		return nil, versionMetadata{}, c.notVersioned()
	case data.Data == nil:
		return nil, *m, &DeletedError{Path: c.shown(path), Version: m.Version, Destroyed: m.Destroyed}
	default:
		return data.Data, *m, nil
	}
}

// versionMetadata is what Vault says of one version of a secret.
type versionMetadata struct {
	Version   Version  `json:"version"`
	Destroyed bool     `json:"destroyed"`
	Deletes   deletion `json:"deletion_time"`
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
