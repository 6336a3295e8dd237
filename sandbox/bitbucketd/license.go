package bitbucketd

import (
	"net/http"
	"time"
)

// License is Bitbucket's own licence, as far as it ends. Times are milliseconds since
// 1970; zero: a year from today for Expires, none for the others.
type License struct {
	Expires     int64 `json:"expires,omitempty"`
	Grace       int64 `json:"grace,omitempty"`       // until when it still works after its end
	Maintenance int64 `json:"maintenance,omitempty"` // until when new releases may be used
	Perpetual   bool  `json:"perpetual,omitempty"`   // it does not end
	Missing     bool  `json:"missing,omitempty"`     // there is none
}

// getLicense serves GET /admin/license. The names of the fields are documented; that
// a licence without an end has no expiryDate is a guess.
func getLicense(c *call) (reply, error) {
	if err := c.global(Admin); err != nil {
		return reply{}, err
	}
	l := c.st.Settings.License
	if l.Missing {
		return reply{}, refuse(http.StatusNotFound, noSuchObjectException, "No license has been set.") // Doubt: the message
	}
	today := c.now().UTC().Truncate(24 * time.Hour)
	if l.Expires == 0 {
		l.Expires = today.AddDate(1, 0, 0).UnixMilli()
	}
	out := map[string]any{
		"creationDate": today.AddDate(-1, 0, 0).UnixMilli(), "maximumNumberOfUsers": 100, "unlimitedUsers": false, "serverId": "BSND-BOXX-BSND-BOXX",
		"status": map[string]any{"serverId": "BSND-BOXX-BSND-BOXX", "currentNumberOfUsers": len(c.st.Users)},
	}
	if !l.Perpetual {
		out["expiryDate"] = l.Expires
		out["daysBeforeExpiry"] = time.UnixMilli(l.Expires).Sub(c.now()) / (24 * time.Hour)
	}
	for name, at := range map[string]int64{"gracePeriodEndDate": l.Grace, "maintenanceExpiryDate": l.Maintenance} {
		if at != 0 {
			out[name] = at
		}
	}
	return reply{body: out}, nil
}
