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
	req := request{op: "looking up the token at", path: lookupSelf, needs: `"read"`}
	data, have, err := fetch[selfWire](ctx, c, req)
	switch {
	case err != nil:
		return TokenInfo{}, err
	case data == nil:
		return TokenInfo{}, broken(req, have)
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
	req := request{op: "asking for the token's capabilities at", path: "sys/capabilities-self", needs: `"update"`, body: map[string]any{"paths": paths}}
	data, have, err := fetch[map[string]json.RawMessage](ctx, c, req)
	switch {
	case err != nil:
		return nil, err
	case have.status != http.StatusOK || data == nil:
		return nil, broken(req, have)
	}
	var lacks []Lack
	for _, n := range needs {
		var held []string
		if json.Unmarshal((*data)[n.Path], &held) != nil {
			return nil, broken(req, have)
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

// versions is what Vault returns of all versions of a secret.
type versions struct {
	Updated  time.Time                  `json:"updated_time"`
	Versions map[string]versionMetadata `json:"versions"`
}

// Versions counts the versions of the record at path that can still be read, and
// says since when the newest is there. A record that is not there has none.
func (c *Client) Versions(ctx context.Context, path string) (readable int, newest time.Time, err error) {
	req := request{op: "reading the versions of", path: c.metadataPath(path), needs: `"list", "read"`}
	data, have, err := fetch[versions](ctx, c, req)
	switch {
	case err != nil:
		return 0, time.Time{}, err
	case have.status == http.StatusNotFound && len(have.errors) == 0:
		return 0, time.Time{}, nil
	case data == nil || have.status != http.StatusOK: // the mount is missing, not the record
		return 0, time.Time{}, absent(req, have)
	}
	for _, v := range data.Versions {
		// delete_version_after gives a version its time in advance.
		if (v.Deletes.IsZero() || v.Deletes.After(c.transport.now())) && !v.Destroyed {
			readable++
		}
	}
	return readable, data.Updated, nil
}
