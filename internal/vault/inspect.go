package vault

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// What can be known of the login and of a record without writing anything.

// A TokenInfo is what Vault says of the token in use.
type TokenInfo struct {
	Policies  []string
	TTL       time.Duration // left; 0: it does not expire
	Renewable bool
	Agent     bool      // it is an agent's, and was not looked up
	Login     bool      // it came from a login of ours, and the next one makes another
	Created   time.Time // by Vault's clock, as is Expires
	Expires   time.Time // however often it is renewed, as far as Vault tells; zero: never
	Role      string    // of AppRole
}

// TokenInfo looks the token in use up, unless it is an agent's.
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) {
	if c.cfg.Auth.agent() {
		return TokenInfo{Agent: true}, nil
	}
	q := question{op: "looking up the token at", path: lookupSelf, needs: `"read"`}
	have, err := c.ask(ctx, q)
	if err != nil {
		return TokenInfo{}, err
	}
	var data selfWire
	if err := json.Unmarshal(have.data, &data); err != nil {
		return TokenInfo{}, &Error{Op: q.op, Path: q.path, Status: have.status, Kind: ErrUnavailable, Cause: err}
	}
	return TokenInfo{
		Policies: cleaned(append(data.Policies, data.IdentityPolicies...)),
		TTL:      time.Duration(data.TTL) * time.Second, Renewable: data.Renewable,
		Login: c.cfg.Auth.again(), Created: time.Unix(data.Created, 0), Expires: data.end(), Role: data.Meta["role_name"],
	}, nil
}

// selfWire is Vault's answer about a token itself.
type selfWire struct {
	TTL              int               `json:"ttl"`
	Renewable        bool              `json:"renewable"`
	Policies         []string          `json:"policies"`
	IdentityPolicies []string          `json:"identity_policies"`
	Created          int64             `json:"creation_time"`
	Expires          *time.Time        `json:"expire_time"`
	Max              int64             `json:"explicit_max_ttl"` // seconds
	Period           json.RawMessage   `json:"period"`           // there for periodic tokens alone
	Meta             map[string]string `json:"meta"`
}

// end returns when a token ends. A renewable one lives until its own maximum if
// it has one, a periodic one as long as it is renewed; Vault does not tell the
// maximum of the mount, which stops renewals too.
func (data selfWire) end() time.Time {
	switch {
	case data.Expires == nil:
		return time.Time{}
	case data.Renewable && data.Max > 0:
		return time.Unix(data.Created+data.Max, 0)
	}
	return *data.Expires
}

// A Lack is a capability that the token's policy does not give on a path.
type Lack struct {
	Path string   // as a policy names it
	Want []string // all of them that bbsync needs there
	Miss []string
}

// Lacks tells what the token may not do with the record at path, without doing
// it: Vault is asked for the token's capabilities. ErrForbidden: this token may
// not even ask that.
func (c *Client) Lacks(ctx context.Context, path string) ([]Lack, error) {
	needs := []Lack{
		{Path: c.dataPath(path), Want: []string{"create", "read", "update"}},
		{Path: c.metadataPath(path), Want: []string{"list", "read"}},
		{Path: c.cfg.Mount + "/destroy/" + c.cfg.Path + "/" + path, Want: []string{"update"}},
	}
	paths := make([]string, len(needs))
	for i, n := range needs {
		paths[i] = n.Path
	}
	q := question{op: "asking for the token's capabilities at", path: "sys/capabilities-self", needs: `"update"`, body: map[string]any{"paths": paths}}
	have, err := c.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	var data map[string]json.RawMessage
	if have.status != http.StatusOK || json.Unmarshal(have.data, &data) != nil {
		return nil, &Error{Op: q.op, Path: q.path, Status: have.status, Texts: have.errors, Kind: ErrUnavailable}
	}
	var lacks []Lack
	for _, n := range needs {
		var held []string
		if err := json.Unmarshal(data[n.Path], &held); err != nil {
			return nil, &Error{Op: q.op, Path: q.path, Status: have.status, Kind: ErrUnavailable, Cause: err}
		}
		if n.Miss = missing(n.Want, held); len(n.Miss) > 0 {
			lacks = append(lacks, n)
		}
	}
	return lacks, nil
}

func missing(want, held []string) []string {
	if slices.Contains(held, "root") {
		return nil
	}
	var miss []string
	for _, w := range want {
		if !slices.Contains(held, w) {
			miss = append(miss, w)
		}
	}
	return miss
}

// Versions counts the versions of the record at path that can still be read, and
// says since when the newest is there. A record that is not there has none.
func (c *Client) Versions(ctx context.Context, path string) (readable int, newest time.Time, err error) {
	q := question{op: "reading the versions of", path: c.metadataPath(path), needs: `"list", "read"`}
	have, err := c.ask(ctx, q)
	if err != nil {
		return 0, time.Time{}, err
	}
	if have.status == http.StatusNotFound {
		if len(have.errors) > 0 { // the mount is missing, not the record
			return 0, time.Time{}, absent(q, have)
		}
		return 0, time.Time{}, nil
	}
	var data struct {
		Updated  time.Time `json:"updated_time"`
		Versions map[string]struct {
			Deleted   deletion `json:"deletion_time"`
			Destroyed bool     `json:"destroyed"`
		} `json:"versions"`
	}
	if err := json.Unmarshal(have.data, &data); err != nil {
		return 0, time.Time{}, &Error{Op: q.op, Path: q.path, Status: have.status, Kind: ErrUnavailable, Cause: err}
	}
	for _, v := range data.Versions {
		// delete_version_after gives a version its time in advance.
		if (v.Deleted.IsZero() || v.Deleted.After(c.door.now())) && !v.Destroyed {
			readable++
		}
	}
	return readable, data.Updated, nil
}
