package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/bbsync/bbsync/internal/httpx"
)

// CreateLink makes a generic link and returns it as the server shows it: a name
// that another link has already gets a number appended without a word. It makes
// the server call no one.
//
// ErrExists: there is a link with this URL. Whether there is one is settled by
// reading it, never by the text of the refusal; likewise a lost answer: a link
// that then has this URL and this name counts as made.
func (c *Client) CreateLink(ctx context.Context, name, rpcURL string) (Link, error) {
	id, err := LinkID(rpcURL)
	if err != nil {
		return Link{}, err
	}
	q := call{
		op: "creating the application link", object: quote(rpcURL), method: http.MethodPut, path: "/applicationlink",
		body: encode(linkWire{Name: name, RPCURL: rpcURL, DisplayURL: rpcURL, TypeID: genericType}),
	}
	for try := 1; ; try++ {
		made := id
		err := c.applink(ctx, q, func(a answer) error {
			if href := createdID(a.body); href != "" {
				made = href
			}
			return confirmed(a)
		})
		var e *Error
		switch {
		case err == nil:
			return c.seeLink(ctx, made)
		case !errors.As(err, &e), !e.lost && e.Status != http.StatusBadRequest && e.Status != http.StatusConflict:
			return Link{}, err
		}
		have, readErr := c.link(ctx, id)
		switch {
		case readErr == nil && e.lost && have.Name == name:
			return have, nil
		case readErr == nil:
			return have, e.as(ErrExists, "the application link "+quote(have.Name)+" has this URL, and Bitbucket allows one link per URL")
		case !errors.Is(readErr, ErrNotFound):
			return Link{}, readErr
		case !e.lost || !errors.Is(e, ErrUnavailable) || try == maxTries:
			return Link{}, err
		}
		if httpx.Sleep(ctx, c.backoff<<(try-1)) != nil {
			return Link{}, err
		}
	}
}

// seeLink reads a link that was just made; what reads it may lag behind.
func (c *Client) seeLink(ctx context.Context, id string) (Link, error) {
	for try := 1; ; try++ {
		link, err := c.link(ctx, id)
		if !errors.Is(err, ErrNotFound) || try == readTries || httpx.Sleep(ctx, c.backoff<<(try-1)) != nil {
			return link, err
		}
	}
}

// createdID returns the id in the answer to a creation, "" if it is not to be
// found: it is known anyway.
func createdID(body []byte) string {
	var href string
	if isXML(body) {
		if objects, err := xmlObjects(body, "href"); err == nil {
			href = objects[0]["href"]
		}
	} else {
		var wire struct {
			Created []struct{ Href string } `json:"resources-created"`
		}
		if json.Unmarshal(body, &wire) == nil && len(wire.Created) > 0 {
			href = wire.Created[0].Href
		}
	}
	u, err := url.Parse(href)
	if err != nil {
		return ""
	}
	if id := path.Base(u.Path); uuid.MatchString(id) {
		return id
	}
	return ""
}

// RenameLink gives the link another name. Unlike in CreateLink, a name that
// another link has is refused: ErrExists.
func (c *Client) RenameLink(ctx context.Context, link Link, name string) error {
	q := call{
		op: "renaming the application link", object: quote(link.URL) + " to " + quote(name),
		method: http.MethodPost, path: "/applicationlink/" + segment(link.ID), idempotent: true,
		body: encode(linkWire{ID: link.ID, Name: name, RPCURL: link.URL, DisplayURL: link.DisplayURL, TypeID: link.Type}),
	}
	err := settle(c.applink(ctx, q, confirmed), func() (bool, error) {
		have, err := c.link(ctx, link.ID)
		return have.Name == name, err
	})
	var e *Error
	if !errors.As(err, &e) || e.Status != http.StatusBadRequest {
		return err
	}
	return c.nameRefused(ctx, link, name, e)
}

// nameRefused finds out why a new name was refused.
func (c *Client) nameRefused(ctx context.Context, link Link, name string, e *Error) error {
	links, err := c.Links(ctx)
	if err != nil {
		return e
	}
	there := false
	for _, l := range links {
		there = there || strings.EqualFold(l.ID, link.ID)
		if l.Name == name && !strings.EqualFold(l.ID, link.ID) {
			return e.as(ErrExists, "the application link to "+quote(l.URL)+" has this name")
		}
	}
	if !there {
		return e.as(ErrNotFound, "the application link is gone")
	}
	return e
}

// DeleteLink deletes a link, its consumer, and with it every token that
// Terraform was given through it, and makes sure that it is gone. A link that is
// not there is no error.
func (c *Client) DeleteLink(ctx context.Context, id string) error {
	q := call{
		op: "deleting the application link", object: quote(id),
		method: http.MethodDelete, path: "/applicationlink/" + segment(id), idempotent: true,
	}
	// The resource for an id that is not known may answer 500 instead of 404.
	return c.deleted(ctx, q, c.applink(ctx, q, confirmed), func() (bool, error) {
		_, err := c.link(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return true, nil
		}
		return false, err
	})
}

// applink sends a call whose path is below the applinks module: 3.0, or 2.0
// where that is missing.
func (c *Client) applink(ctx context.Context, q call, read func(answer) error) error {
	below := q.path
	q.path = c.applinkPath() + below
	err := c.do(ctx, q, read)
	if c.applinks.Load() != nil || !missing(err) {
		return err
	}
	older := "/rest/applinks/2.0"
	q.path = older + below
	if second := c.do(ctx, q, read); !missing(second) {
		c.applinks.Store(&older)
		return second
	}
	return err
}

// missing reports whether the path or the method, and not the object, is what
// the server does not have.
func missing(err error) bool { return errors.Is(err, ErrNotServed) }

// segment escapes one segment of a path.
func segment(text string) string {
	if text == "." || text == ".." {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return url.PathEscape(text)
}
