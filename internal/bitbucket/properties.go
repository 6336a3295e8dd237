package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// Properties say which Bitbucket it is.
type Properties struct {
	Version     Version
	BuildNumber string
	DisplayName string // "Bitbucket" unless the administrator renamed it
}

// Properties reads the version, without the account.
func (c *Client) Properties(ctx context.Context) (Properties, error) {
	var p Properties
	q := call{op: "reading the version of Bitbucket at", object: c.URL(), path: "/rest/api/1.0/application-properties", anonymous: true}
	err := c.do(ctx, q, func(a answer) error {
		var wire struct{ Version, BuildNumber, DisplayName string }
		if err := decode(&wire)(a); err != nil {
			return err
		}
		version, err := ParseVersion(wire.Version)
		if err != nil {
			return err
		}
		p = Properties{Version: version, BuildNumber: wire.BuildNumber, DisplayName: wire.DisplayName}
		return nil
	})
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return p, e.as(ErrNotFound, "check the url: is it Bitbucket Server or Data Center, and is the context path right?")
	}
	return p, err
}

// Status returns the server's state, without the account: RUNNING, STARTING,
// MAINTENANCE, FIRST_RUN, ERROR. Maintenance comes with 200, so the state counts
// and not the code.
func (c *Client) Status(ctx context.Context) (string, error) {
	var wire struct{ State string }
	q := call{
		op: "reading the status of Bitbucket at", object: c.URL(), path: "/status", anonymous: true,
		succeed: []int{http.StatusOK, http.StatusServiceUnavailable, http.StatusInternalServerError},
	}
	err := c.do(ctx, q, func(a answer) error {
		if err := decode(&wire)(a); err != nil {
			return err
		}
		if wire.State == "" {
			return errors.New("no state in it")
		}
		return nil
	})
	return strings.ToUpper(wire.State), err
}

// Manifest is how Bitbucket introduces itself to other applications.
type Manifest struct {
	ID          string
	Name        string
	TypeID      string // "stash"; "bitbucket" on some
	Version     string
	BuildNumber string
	URL         string // the base URL that the administrator configured
}

// Manifest reads it, without the account. Its URL tells whether the base URL is
// configured right.
func (c *Client) Manifest(ctx context.Context) (Manifest, error) {
	var m Manifest
	q := call{op: "reading the manifest of Bitbucket at", object: c.URL(), path: "/rest/applinks/1.0/manifest", anonymous: true}
	err := c.do(ctx, q, func(a answer) error {
		if isXML(a.body) {
			objects, err := xmlObjects(a.body, "typeId")
			if err != nil {
				return err
			}
			o := objects[0]
			m = Manifest{o["id"], o["name"], o["typeId"], o["version"], o["buildNumber"], o["url"]}
			return nil
		}
		var wire struct {
			ID, Name, TypeID, Version, URL string
			BuildNumber                    json.RawMessage // a number in some versions, a text in others [not certain]
		}
		if err := decode(&wire)(a); err != nil {
			return err
		}
		m = Manifest{wire.ID, wire.Name, wire.TypeID, wire.Version, strings.Trim(string(wire.BuildNumber), `"`), wire.URL}
		return nil
	})
	return m, err
}
