package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/bbsync/bbsync/internal/secret"
)

// Secret returns the value that ref names, which is "mount/path#field". The
// mount may be any whose answers to reads have fields: KV, or an engine that makes
// credentials.
func (c *Client) Secret(ctx context.Context, ref string) (secret.Text, error) {
	path, field, err := splitRef(ref)
	if err != nil {
		return secret.Text{}, err
	}
	in, err := c.refMount(ctx, path)
	if err != nil {
		return secret.Text{}, err
	}
	fields, err := c.secretFields(ctx, in, strings.TrimPrefix(path, in.path+"/"))
	if err != nil {
		return secret.Text{}, err
	}
	return pick(fields, path, field)
}

// refMount is mountOf, for a server that will not tell: then the first part of
// the path is taken for a KV version 2 mount, as Vault's documentation has it.
func (c *Client) refMount(ctx context.Context, path string) (mount, error) {
	in, err := c.mountOf(ctx, path)
	switch {
	case err == nil && in.path == path:
		return in, fmt.Errorf("vault: %w: %q is a mount (want mount/path#field)", ErrBadReference, path)
	case errors.Is(err, ErrForbidden), errors.Is(err, ErrNoMount):
		first, _, _ := strings.Cut(path, "/")
		return mount{path: first, version: 2}, nil
	}
	return in, err
}

func (c *Client) secretFields(ctx context.Context, in mount, path string) (map[string]json.RawMessage, error) {
	req := request{op: "reading", path: in.path + "/" + path, needs: `"read"`}
	if in.version != 2 {
		return c.readLeased(ctx, req)
	}
	req.path = in.path + "/data/" + path
	secret, have, err := fetch[versioned[map[string]json.RawMessage]](ctx, c, req)
	switch {
	case err != nil:
		return nil, err
	case secret == nil:
		return nil, unwritten(absent(req, have), in.path+"/"+path)
	case secret.Metadata == nil:
		return nil, &Error{Op: req.op, Path: req.path, Status: have.status, Kind: ErrNotVersioned}
	case have.status == http.StatusNotFound || secret.Data == nil:
		return nil, &Error{Op: req.op, Path: req.path, Status: have.status, Kind: ErrDeleted}
	}
	return secret.Data, nil
}

// unwritten adds to an absent secret how it is written, without a value: what is
// typed on a command line stays in the shell's history.
func unwritten(err error, path string) error {
	var e *Error
	if errors.As(err, &e) && errors.Is(e.Kind, ErrNotFound) {
		e.Hint = "correct the path, or write the secret: vault kv put " + clean(path) + " FIELD=-"
	}
	return err
}

// pick takes the field. Errors name fields, never values.
func pick(fields map[string]json.RawMessage, path, field string) (secret.Text, error) {
	raw, ok := fields[field]
	if !ok {
		names := slices.Sorted(maps.Keys(fields))
		for i, name := range names {
			names[i] = clean(name)
		}
		return secret.Text{}, fmt.Errorf("vault: %s: %w: %q (there are: %s)", path, ErrNoField, clean(field), or(strings.Join(names, ", "), "none"))
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text == "" {
			return secret.Text{}, fmt.Errorf("vault: %s: field %q is empty", path, clean(field))
		}
		return secret.New(text), nil
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil && number != "" {
		return secret.New(number.String()), nil
	}
	return secret.Text{}, fmt.Errorf("vault: %s: field %q is no text", path, clean(field))
}
