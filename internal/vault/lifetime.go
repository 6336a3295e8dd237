package vault

import (
	"context"
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
	return c.lifetime(ctx, request{op: "reading the settings of", path: c.cfg.Mount + "/config", needs: `"read"`})
}

// RecordLifetime returns after how long Vault deletes what is written to one record
// by a setting of its own; 0: never.
func (c *Client) RecordLifetime(ctx context.Context, path string) (time.Duration, error) {
	return c.lifetime(ctx, request{op: "reading the versions of", path: c.metadataPath(path), needs: `"list", "read"`})
}

func (c *Client) lifetime(ctx context.Context, req request) (time.Duration, error) {
	data, have, err := fetch[struct {
		After string `json:"delete_version_after"`
	}](ctx, c, req)
	switch {
	case errors.Is(err, ErrForbidden):
		return 0, fmt.Errorf("%w: %w", ErrLifetimeUnknown, err)
	case err != nil:
		return 0, err
	case have.status != http.StatusOK:
		return 0, ErrLifetimeUnknown
	case data == nil:
		return 0, broken(req, have)
	case data.After == "":
		return 0, nil
	}
	after, err := time.ParseDuration(data.After)
	if err != nil {
		return 0, broken(req, have)
	}
	return max(after, 0), nil // a negative one switches the setting off
}
