package tfe

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/bbsync/bbsync/internal/secret"
)

// SetSSHKey gives a token the private key that Terraform clones with, as PEM with
// one line end at its end. It cannot be read back.
func (c *Client) SetSSHKey(ctx context.Context, tokenID string, private secret.Text) error {
	path, err := objectPath("oauth-tokens", tokenID, "")
	if err != nil {
		return err
	}
	req := request{op: "setting the SSH key of OAuth token", object: tokenID, idempotent: true, takes: object("oauth-tokens", tokenID)}
	body := &updateBody{Data: updateData{Type: "oauth-tokens", Attributes: map[string]any{"ssh-key": private.Reveal()}}}
	var have one
	err = c.do(sends(ctx, private), req, func(ctx context.Context) error { return c.raw(ctx, http.MethodPatch, path, body, &have) })
	if err != nil {
		return err
	}
	var a tokenAttributes
	if json.Unmarshal(have.Data.Attributes, &a) == nil && !a.HasSSHKey {
		return &Error{Op: req.op, Object: req.object, Kind: ErrInvalid, Hint: "Terraform took the key and says that there is none"}
	}
	return nil
}

// Token reads one token.
func (c *Client) Token(ctx context.Context, id string) (Token, error) {
	t, _, err := c.token(ctx, id)
	return t, err
}

func (c *Client) token(ctx context.Context, id string) (t Token, client string, err error) {
	path, err := objectPath("oauth-tokens", id, "")
	if err != nil {
		return Token{}, "", err
	}
	req := request{op: "reading OAuth token", object: id}
	var have one
	if err := c.get(ctx, req, path, nil, &have); err != nil {
		return Token{}, "", err
	}
	if have.Data == nil {
		return Token{}, "", noData(req)
	}
	t, err = decodeToken(*have.Data)
	if err != nil {
		return Token{}, "", broken(req, err)
	}
	return t, have.Data.Relationships["oauth-client"].id(), nil
}

// DeleteToken deletes a token: its client waits for a person again, and what used
// it no longer works. HCP Terraform allows ten a minute, since it sends e-mail.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	return c.remove(ctx, "oauth-tokens", id, "deleting OAuth token")
}
