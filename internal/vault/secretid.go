package vault

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// A SecretIDInfo is how long the secret id of an AppRole login can be used.
type SecretIDInfo struct {
	Created time.Time // by Vault's clock, as is Expires
	Expires time.Time // zero: never
	Uses    int       // logins that it is still good for; 0: any number
}

// errNoSecretID says that the login needs no secret id.
var errNoSecretID = errors.New("this login needs no secret id")

// SecretIDInfo looks up the secret id of this login, whose role the token names.
// ErrForbidden: the policy has no line for it, which it does without.
func (c *Client) SecretIDInfo(ctx context.Context, role string) (SecretIDInfo, error) {
	if c.cfg.Auth.method() != MethodAppRole || role == "" {
		return SecretIDInfo{}, errNoSecretID
	}
	id := c.cfg.Auth.SecretID.Reveal()
	c.login.Lock()
	if c.unwrap != nil {
		id = *c.unwrap
	}
	c.login.Unlock()
	req := request{
		op: "looking up the secret id at", path: "auth/" + c.cfg.Auth.mount() + "/role/" + role + "/secret-id/lookup",
		body: map[string]any{"secret_id": id}, needs: `"update"`,
	}
	data, have, err := fetch[struct {
		Created time.Time `json:"creation_time"`
		Expires time.Time `json:"expiration_time"` // the year 1: never
		Uses    int       `json:"secret_id_num_uses"`
	}](ctx, c, req)
	switch {
	case err != nil:
		return SecretIDInfo{}, err
	case have.status != http.StatusOK || data == nil:
		return SecretIDInfo{}, broken(req, have)
	}
	info := SecretIDInfo{Created: data.Created, Uses: data.Uses}
	if !data.Expires.IsZero() {
		info.Expires = data.Expires
	}
	return info, nil
}
