package bitbucket

import (
	"context"
	"errors"
	"net/http"

	"github.com/bbsync/bbsync/internal/limit"
)

// RateLimitSettings are those for users without settings of their own (Data
// Center from 6.6 on).
type RateLimitSettings struct {
	Enabled  bool
	Capacity int // requests at once
	FillRate int // regained each second
}

// Rate returns them as a limit, zero where they are not enabled.
func (s RateLimitSettings) Rate() limit.Rate {
	if !s.Enabled || s.FillRate <= 0 {
		return limit.Rate{}
	}
	return limit.Rate{PerSecond: float64(s.FillRate), Burst: s.Capacity}
}

// RateLimitSettings reads them. ErrTooOld: the server has none.
func (c *Client) RateLimitSettings(ctx context.Context) (RateLimitSettings, error) {
	var wire struct {
		Enabled         *bool
		DefaultSettings struct{ Capacity, FillRate int }
	}
	q := call{op: "reading the rate limit settings of", object: c.URL(), path: "/rest/api/1.0/admin/rate-limit/settings"}
	err := c.do(ctx, q, func(a answer) error {
		if err := decode(&wire)(a); err != nil {
			return err
		}
		if wire.Enabled == nil {
			return errors.New("not rate limit settings")
		}
		return nil
	})
	switch {
	case status(err) == http.StatusNotFound:
		return RateLimitSettings{}, tooOld(err)
	case err != nil:
		return RateLimitSettings{}, err
	}
	return RateLimitSettings{*wire.Enabled, wire.DefaultSettings.Capacity, wire.DefaultSettings.FillRate}, nil
}
