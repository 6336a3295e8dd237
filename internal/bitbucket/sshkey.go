package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/keys"
)

// An SSHKey is a public key of a user.
type SSHKey struct {
	ID                int
	Line              string // authorized_keys form; compare blobs, the comment may differ
	Label             string
	Created           time.Time // zero: the server does not tell (before 8.7)
	ExpiryDays        int       // from Created; 0: never
	LastAuthenticated time.Time // zero: never, or the server does not tell
	HasUsage          bool      // the server tells when a key was last used
}

// Expires returns when the key stops working, zero for never or unknown.
func (k SSHKey) Expires() time.Time {
	if k.ExpiryDays <= 0 || k.Created.IsZero() {
		return time.Time{}
	}
	return k.Created.AddDate(0, 0, k.ExpiryDays)
}

type sshKeyWire struct {
	ID                int             `json:"id"`
	Text              string          `json:"text"`
	Label             string          `json:"label"`
	CreatedDate       json.RawMessage `json:"createdDate"`
	ExpiryDays        *int            `json:"expiryDays"`
	LastAuthenticated json.RawMessage `json:"lastAuthenticated"`
}

func (w sshKeyWire) key() (SSHKey, error) {
	if w.ID == 0 || w.Text == "" {
		return SSHKey{}, errors.New("an SSH key without id or text")
	}
	created, err := moment(w.CreatedDate)
	if err != nil {
		return SSHKey{}, fmt.Errorf("the date an SSH key was created: %w", err)
	}
	used, err := moment(w.LastAuthenticated)
	if err != nil {
		return SSHKey{}, fmt.Errorf("the date an SSH key was last used: %w", err)
	}
	k := SSHKey{ID: w.ID, Line: w.Text, Label: w.Label, Created: created, LastAuthenticated: used}
	// Whether a server that keeps usage leaves the field out for a key that was
	// never used is not certain, so the creation date, which came with the same
	// release, counts too.
	k.HasUsage = w.LastAuthenticated != nil || !created.IsZero()
	if w.ExpiryDays != nil {
		k.ExpiryDays = *w.ExpiryDays
	}
	return k, nil
}

// moment reads a date: milliseconds as a number or a text, as servers send it,
// or RFC 3339, as the vendor's document has it. Absent and null are zero.
func moment(raw json.RawMessage) (time.Time, error) {
	text := strings.Trim(string(raw), `"`)
	if text == "" || text == "null" {
		return time.Time{}, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		if ms <= 0 {
			return time.Time{}, nil
		}
		return time.UnixMilli(ms).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.000-0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s is no date", quote(text))
}

// sshKeysPath is the 1.0 module, which old and new servers have.
const sshKeysPath = "/rest/ssh/1.0/keys"

// SSHKeys reads all keys of a user, by username. ErrNotFound: no such user.
func (c *Client) SSHKeys(ctx context.Context, user string) ([]SSHKey, error) {
	q := call{op: "reading the SSH keys of user", object: quote(user), path: sshKeysPath, query: url.Values{"user": {user}}}
	list := []SSHKey{}
	var wrong error
	err := pages(ctx, c, q, func(w sshKeyWire) bool {
		var k SSHKey
		if k, wrong = w.key(); wrong != nil {
			return false
		}
		list = append(list, k)
		return true
	})
	if wrong != nil {
		return nil, c.broken(q, answer{}, wrong)
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

type newKeyWire struct {
	Text       string `json:"text"`
	Label      string `json:"label,omitempty"`
	ExpiryDays int    `json:"expiryDays,omitempty"` // known from 8.7 on
}

// AddSSHKey gives a user a public key. A key that the user has already is
// returned as it is. ErrExists: somebody else has it, as a user's or an access
// key. ErrPolicy: the server does not allow such a key (type, length, expiry).
// ErrNotFound: no such user.
func (c *Client) AddSSHKey(ctx context.Context, user, line, label string, expiryDays int) (SSHKey, error) {
	blob, err := keys.SSHBlob(line)
	if err != nil {
		return SSHKey{}, err
	}
	q := call{
		op: "adding an SSH key to user", object: quote(user), method: http.MethodPost, path: sshKeysPath,
		query: url.Values{"user": {user}}, body: encode(newKeyWire{line, label, expiryDays}),
	}
	for try := 1; ; try++ {
		var made SSHKey
		err := c.do(ctx, q, func(a answer) (err error) {
			var wire sshKeyWire
			if err := decode(&wire)(a); err != nil {
				return err
			}
			if made, err = wire.key(); err == nil && !sameKey(made.Line, blob) {
				err = errors.New("not the SSH key that was added")
			}
			return err
		})
		var e *Error
		switch {
		case err == nil:
			return made, nil
		case !errors.As(err, &e):
			return SSHKey{}, err
		case e.Status == http.StatusBadRequest:
			return SSHKey{}, e.as(ErrPolicy, "check the server's rules for SSH keys: types, minimum length, maximum expiry")
		case e.Status != http.StatusConflict && !e.lost:
			return SSHKey{}, err
		}
		have, readErr := c.findKey(ctx, user, blob)
		switch {
		case !errors.Is(readErr, ErrNotFound):
			return have, readErr
		case e.Status == http.StatusConflict:
			return SSHKey{}, e.as(ErrExists, "the key is not among this user's, so it belongs to another user"+
				" or is an access key of a project or repository: remove it there or use another key")
		case try == maxTries || httpx.Sleep(ctx, c.backoff<<(try-1)) != nil:
			return SSHKey{}, err
		}
	}
}

// findKey looks for a key among a user's, a few times: what reads the list may
// lag behind a write.
func (c *Client) findKey(ctx context.Context, user, blob string) (SSHKey, error) {
	for try := 1; ; try++ {
		list, err := c.SSHKeys(ctx, user)
		if err != nil {
			return SSHKey{}, err
		}
		for _, k := range list {
			if sameKey(k.Line, blob) {
				return k, nil
			}
		}
		if try == readTries || httpx.Sleep(ctx, c.backoff<<(try-1)) != nil {
			return SSHKey{}, ErrNotFound
		}
	}
}

func sameKey(line, blob string) bool {
	have, err := keys.SSHBlob(line)
	return err == nil && have == blob
}

// DeleteSSHKey deletes one key of a user, by username, and makes sure that the
// user no longer has it. A key that is not there is no error.
func (c *Client) DeleteSSHKey(ctx context.Context, user string, id int) error {
	if id <= 0 { // without an id the resource deletes all keys of a user
		return fmt.Errorf("deleting an SSH key: %d is not an id", id)
	}
	q := call{
		op: "deleting the SSH key", object: strconv.Itoa(id) + " of user " + quote(user), method: http.MethodDelete,
		path: sshKeysPath + "/" + strconv.Itoa(id), idempotent: true,
	}
	return c.deleted(ctx, q, c.do(ctx, q, nothing), func() (bool, error) {
		list, err := c.SSHKeys(ctx, user)
		return !slices.ContainsFunc(list, func(k SSHKey) bool { return k.ID == id }), err
	})
}
