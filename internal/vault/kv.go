package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/bbsync/bbsync/internal/record"
)

// A Version counts the writes of one secret, from 1. As the expectation of a
// write, 0 means that there must be none yet.
type Version int

// Read returns the record at path, which is below Config.Path. A missing record is
// ErrNotFound; a deleted one a DeletedError with the version to go on from. One
// that contradicts its private keys is a record.ContradictionError, and is returned
// with it, so that the caller can say whose it is.
func (c *Client) Read(ctx context.Context, path string) (record.Record, Version, error) {
	fields, about, err := c.read(ctx, path, 0)
	if err != nil {
		return record.Record{}, about.Version, err
	}
	r, err := record.Decode(fields)
	if differs, ok := errors.AsType[*record.ContradictionError](err); ok {
		differs.Path = c.shown(path)
	} else if err != nil {
		return r, about.Version, &Error{Op: "reading", Path: c.dataPath(path), Kind: err}
	}
	r.Deletes = about.Deletes.Time
	return r, about.Version, err
}

// read reads one version, or the newest for 0.
func (c *Client) read(ctx context.Context, path string, version Version) (record.Fields, versionMetadata, error) {
	req, err := c.dataRequest(path, version)
	if err != nil {
		return nil, versionMetadata{}, err
	}
	secret, have, err := fetch[versioned[any]](ctx, c, req)
	if err != nil {
		return nil, versionMetadata{}, err
	}
	return c.checkVersioned(req, path, have, secret)
}

func (c *Client) dataRequest(path string, version Version) (request, error) {
	if err := checkPath(path); err != nil {
		return request{}, fmt.Errorf("vault: record: %w", err)
	}
	req := request{op: "reading", path: c.dataPath(path), needs: `"create", "read", "update"`}
	if version != 0 {
		req.query = url.Values{"version": {strconv.Itoa(int(version))}}
	}
	return req, nil
}

// versioned is a secret of KV version 2.
type versioned[T any] struct {
	Data     T                `json:"data"`
	Metadata *versionMetadata `json:"metadata"`
}

// checkVersioned returns the fields of a record. A deleted version comes with status 404 and its
// metadata; an absent one with 404 and nothing.
func (c *Client) checkVersioned(req request, path string, have response, s *versioned[any]) (record.Fields, versionMetadata, error) {
	if s == nil {
		return nil, versionMetadata{}, absent(req, have)
	}
	fields, isObject := s.Data.(map[string]any)
	switch m := s.Metadata; {
	case m == nil || m.Version == 0:
		return nil, versionMetadata{}, c.notVersioned()
	case s.Data == nil:
		return nil, *m, &DeletedError{Path: c.shown(path), Version: m.Version, Destroyed: m.Destroyed}
	case !isObject:
		return nil, *m, &Error{Op: req.op, Path: req.path, Status: have.status, Kind: record.ErrNotRecord}
	default:
		return fields, *m, nil
	}
}

// versionMetadata is what Vault says of one version of a secret.
type versionMetadata struct {
	Version   Version  `json:"version"`
	Destroyed bool     `json:"destroyed"`
	Deletes   deletion `json:"deletion_time"`
}

// absent tells a missing secret from a missing mount.
func absent(req request, have response) error {
	e := &Error{Op: req.op, Path: req.path, Status: have.status, Texts: have.errors, Kind: ErrNotFound}
	switch {
	case have.status != http.StatusNotFound:
		e.Kind = ErrBrokenAnswer
	case len(have.errors) > 0:
		e.Kind = ErrNoMount
	}
	return e
}

// Begin writes the first record at a path, or the next one where an earlier
// connection ended at that version.
func (c *Client) Begin(ctx context.Context, path string, r record.Record, at Version) error {
	_, err := c.Write(ctx, path, record.New(r), at)
	return err
}

func (c *Client) dataPath(path string) string {
	return c.cfg.Mount + "/data/" + c.cfg.Path + "/" + path
}

func (c *Client) metadataPath(path string) string {
	return c.cfg.Mount + "/metadata/" + c.cfg.Path + "/" + path
}

// shown is the path as the vault command takes it.
func (c *Client) shown(path string) string { return c.cfg.Mount + "/" + c.cfg.Path + "/" + path }
