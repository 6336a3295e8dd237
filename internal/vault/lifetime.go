package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A deletion is the time at which a version is, or will be, deleted; zero for "".
type deletion struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (d *deletion) UnmarshalJSON(text []byte) error {
	if string(text) == `""` {
		return nil
	}
	return d.Time.UnmarshalJSON(text)
}

// ErrLifetimeUnknown says that the token may not read how long versions live.
var ErrLifetimeUnknown = errors.New("the token may not read delete_version_after")

// MountLifetime returns after how long Vault deletes what is written into the
// records' mount; 0: never.
func (c *Client) MountLifetime(ctx context.Context) (time.Duration, error) {
	return c.lifetime(ctx, question{op: "reading the settings of", path: c.cfg.Mount + "/config", needs: `"read"`})
}

// RecordLifetime returns after how long Vault deletes what is written to one record
// by a setting of its own; 0: never.
func (c *Client) RecordLifetime(ctx context.Context, path string) (time.Duration, error) {
	return c.lifetime(ctx, question{op: "reading the versions of", path: c.metadataPath(path), needs: `"list", "read"`})
}

func (c *Client) lifetime(ctx context.Context, q question) (time.Duration, error) {
	have, err := c.ask(ctx, q)
	switch {
	case errors.Is(err, ErrForbidden):
		return 0, fmt.Errorf("%w: %w", ErrLifetimeUnknown, err)
	case err != nil:
		return 0, err
	case have.status != http.StatusOK:
		return 0, ErrLifetimeUnknown
	}
	var data struct {
		After string `json:"delete_version_after"`
	}
	if err := json.Unmarshal(have.data, &data); err != nil {
		return 0, &Error{Op: q.op, Path: q.path, Status: have.status, Kind: ErrUnavailable, Cause: err}
	}
	if data.After == "" {
		return 0, nil
	}
	after, err := time.ParseDuration(data.After)
	if err != nil {
		return 0, &Error{Op: q.op, Path: q.path, Status: have.status, Kind: ErrUnavailable, Cause: err}
	}
	return max(after, 0), nil // a negative one switches the setting off
}
