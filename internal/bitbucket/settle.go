package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/bbsync/bbsync/internal/httpx"
)

// settle returns nil for a write whose outcome is not known when done, which
// reads, finds that it took effect.
func settle(err error, done func() (bool, error)) error {
	if !lost(err) {
		return err
	}
	yes, readErr := done()
	switch {
	case readErr != nil:
		return fmt.Errorf("%w; reading whether it was done: %w", err, readErr)
	case yes:
		return nil
	}
	return err
}

// deleted returns nil only when gone, which reads, no longer finds what was to be
// deleted. A good answer is not taken for it: keys in Vault are destroyed next.
func (c *Client) deleted(ctx context.Context, q call, err error, gone func() (bool, error)) error {
	s := status(err)
	if err != nil && !lost(err) && s != http.StatusNotFound && s != http.StatusMethodNotAllowed {
		return err
	}
	for try := 1; ; try++ {
		yes, readErr := gone()
		switch {
		case readErr != nil && err != nil:
			return fmt.Errorf("%w; reading whether it was done: %w", err, readErr)
		case readErr != nil:
			return readErr
		case yes:
			return nil
		}
		if try == readTries || httpx.Sleep(ctx, c.backoff<<(try-1)) != nil { // what reads may lag behind
			return c.stillThere(q, err)
		}
	}
}

// readTries is how often something is read that a write may not have reached yet.
const readTries = 4

func (c *Client) stillThere(q call, err error) error {
	if err != nil {
		return err
	}
	e := c.fault(q)
	e.kind, e.cause = ErrBadAnswer, errors.New("answered as deleted, and still listed")
	e.Advice = "check what answers DELETE requests in front of Bitbucket"
	return e
}
