package bitbucket

import (
	"context"
	"errors"
	"net/http"

	"github.com/bbsync/bbsync/internal/keys"
)

// A Consumer is the incoming OAuth 1.0a consumer of a link: who may ask
// Bitbucket's users for access, and the key that such requests are signed with.
type Consumer struct {
	Key         string
	Name        string // shown on the Allow page
	PublicKey   string // PEM; Bitbucket re-encodes it, so compare keys and not texts
	Description string
}

type consumerWire struct {
	Key              string  `json:"key"`
	Name             string  `json:"name"`
	Description      *string `json:"description"`
	SharedSecret     *string `json:"sharedSecret"`
	PublicKey        string  `json:"publicKey"`
	Outgoing         bool    `json:"outgoing"`
	TwoLOAllowed     bool    `json:"twoLOAllowed"`
	ExecutingUser    *string `json:"executingTwoLOUser"`
	TwoLOImpersonate bool    `json:"twoLOImpersonationAllowed"`
}

func consumerPath(linkID string) string {
	return "/rest/applinks-oauth/1.0/applicationlink/" + segment(linkID) + "/authentication/consumer"
}

// Consumer reads the link's consumer. ErrNotFound: the link has none, or there
// is no such link.
func (c *Client) Consumer(ctx context.Context, linkID string) (Consumer, error) {
	q := call{op: "reading the OAuth consumer of the application link", object: quote(linkID), path: consumerPath(linkID)}
	found, err := c.readConsumer(ctx, q)
	if missing(err) { // applinks before 5 keep it with the link
		q.path = olderConsumerPath(linkID)
		if older, second := c.readConsumer(ctx, q); !missing(second) {
			return older, second
		}
	}
	return found, err
}

func olderConsumerPath(linkID string) string {
	return "/rest/applinks/2.0/applicationlink/" + segment(linkID) + "/authentication/consumer"
}

func (c *Client) readConsumer(ctx context.Context, q call) (Consumer, error) {
	var list []Consumer
	err := c.do(ctx, q, func(a answer) (err error) {
		list, err = readConsumers(a.body)
		return err
	})
	if err != nil {
		return Consumer{}, err
	}
	if len(list) == 0 {
		e := c.fault(q)
		e.kind = ErrNotFound
		return Consumer{}, e
	}
	return list[0], nil
}

// readConsumers reads {"consumers":[...]}, or the same in XML, and keeps the
// incoming ones.
func readConsumers(body []byte) ([]Consumer, error) {
	if isXML(body) {
		objects, err := xmlObjects(body, "publicKey")
		if err != nil {
			return nil, err
		}
		list := make([]Consumer, 0, len(objects))
		for _, o := range objects {
			list = append(list, Consumer{Key: o["key"], Name: o["name"], PublicKey: o["publicKey"], Description: o["description"]})
		}
		return list, nil
	}
	var wire struct {
		Consumers []consumerWire `json:"consumers"`
	}
	if err := decode(&wire)(answer{body: body}); err != nil {
		return nil, err
	}
	if wire.Consumers == nil {
		return nil, errors.New("not a list of consumers")
	}
	list := make([]Consumer, 0, len(wire.Consumers))
	for _, w := range wire.Consumers {
		if w.Outgoing {
			continue
		}
		one := Consumer{Key: w.Key, Name: w.Name, PublicKey: w.PublicKey}
		if w.Description != nil {
			one.Description = *w.Description
		}
		list = append(list, one)
	}
	return list, nil
}

// SetConsumer sets the link's incoming consumer. With the same key and another
// public key the server changes it in place. With another key the old consumer
// stays valid though no link shows it any more: to be rid of it, delete the link
// first. ErrNotFound: no such link.
func (c *Client) SetConsumer(ctx context.Context, linkID string, consumer Consumer) error {
	wire := consumerWire{Key: consumer.Key, Name: consumer.Name, PublicKey: consumer.PublicKey}
	if consumer.Description != "" {
		wire.Description = &consumer.Description
	}
	q := call{
		op: "setting the OAuth consumer of the application link", object: quote(linkID),
		method: http.MethodPut, path: consumerPath(linkID), body: encode(wire), idempotent: true,
	}
	err := c.do(ctx, q, confirmed)
	if missing(err) {
		q.path = olderConsumerPath(linkID)
		if second := c.do(ctx, q, confirmed); !missing(second) {
			err = second
		}
	}
	return settle(err, func() (bool, error) {
		have, err := c.Consumer(ctx, linkID)
		return err == nil && have.Key == consumer.Key && have.Name == consumer.Name && samePublic(have.PublicKey, consumer.PublicKey), err
	})
}

// samePublic compares keys and not strings: Bitbucket encodes a key again.
func samePublic(a, b string) bool {
	have, err := keys.PublicFingerprint(a)
	want, wantErr := keys.PublicFingerprint(b)
	return err == nil && wantErr == nil && have == want
}
