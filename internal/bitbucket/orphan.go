package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

const orphanPath = "/rest/applinks/latest/orphaned-trust"

// orphanedConsumer is the type of consumers among orphans.
const orphanedConsumer = "OAUTH"

// OrphanedConsumers lists the keys of OAuth 1.0a consumers that belong to no link:
// Bitbucket keeps the consumer of a link that is given another one, and still accepts
// requests that are signed with its key. ErrTooOld: the server lists none.
func (c *Client) OrphanedConsumers(ctx context.Context) ([]string, error) {
	var keys []string
	q := call{op: "reading the orphaned consumers at", object: c.URL(), path: orphanPath}
	err := c.do(ctx, q, func(a answer) (err error) {
		keys, err = readOrphans(a.body)
		return err
	})
	if missing(err) {
		return nil, tooOld(err)
	}
	return keys, err
}

// readOrphans reads {"orphanedTrust":[{"id":...,"type":...}]}. The list's name is not
// certain, nor whether a list of one is an array.
func readOrphans(body []byte) ([]string, error) {
	var wire map[string]json.RawMessage
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, err
	}
	for _, name := range []string{"orphanedTrust", "orphanedTrustList"} {
		if list, ok := wire[name]; ok {
			return orphanKeys(list)
		}
	}
	return nil, errors.New("not a list of orphaned trust")
}

type orphanWire struct{ ID, Type string }

func orphanKeys(list json.RawMessage) ([]string, error) {
	var many []orphanWire
	if err := json.Unmarshal(list, &many); err != nil {
		var one orphanWire
		if err := json.Unmarshal(list, &one); err != nil || one.ID == "" {
			return nil, errors.New("not a list of orphaned trust")
		}
		many = []orphanWire{one}
	}
	var keys []string
	for _, o := range many {
		if o.Type == orphanedConsumer && o.ID != "" {
			keys = append(keys, o.ID)
		}
	}
	return keys, nil
}

// DeleteOrphanedConsumer deletes a consumer if it belongs to no link, and makes sure
// that it is gone. The resource would delete any consumer, so that it is asked for those
// that the list has just named alone.
func (c *Client) DeleteOrphanedConsumer(ctx context.Context, key string) error {
	there := func() (bool, error) {
		keys, err := c.OrphanedConsumers(ctx)
		if errors.Is(err, ErrTooOld) {
			return false, nil
		}
		return slices.Contains(keys, key), err
	}
	if found, err := there(); err != nil || !found {
		return err
	}
	q := call{
		op: "deleting the orphaned consumer", object: quote(key), method: http.MethodDelete,
		path: orphanPath + "/" + orphanedConsumer + "/" + segment(key), idempotent: true,
	}
	return c.deleted(ctx, q, c.do(ctx, q, confirmed), func() (bool, error) {
		found, err := there()
		return !found, err
	})
}
