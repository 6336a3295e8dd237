package bitbucket

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A License is Bitbucket's own licence, as far as it ends; zero times: never, or not
// told.
type License struct {
	Created     time.Time
	Expires     time.Time // pushes are refused afterwards
	Grace       time.Time // until when they are accepted all the same
	Maintenance time.Time // until when new releases may be installed
}

// License reads the licence, which takes an administrator. ErrNotFound: there is none.
func (c *Client) License(ctx context.Context) (License, error) {
	q := call{op: "reading the licence of", object: c.URL(), path: "/rest/api/1.0/admin/license"}
	var wire struct {
		CreationDate, ExpiryDate, GracePeriodEndDate, MaintenanceExpiryDate json.RawMessage
	}
	if err := c.do(ctx, q, decode(&wire)); err != nil {
		return License{}, err
	}
	var l License
	for _, f := range []struct {
		raw  json.RawMessage
		into *time.Time
	}{{wire.CreationDate, &l.Created}, {wire.ExpiryDate, &l.Expires}, {wire.GracePeriodEndDate, &l.Grace}, {wire.MaintenanceExpiryDate, &l.Maintenance}} {
		at, err := moment(f.raw)
		if err != nil {
			return License{}, fmt.Errorf("the dates of Bitbucket's licence: %w", err)
		}
		if at.Unix() > 0 { // some servers say -1 for never
			*f.into = at
		}
	}
	return l, nil
}
