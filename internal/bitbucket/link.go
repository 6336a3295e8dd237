package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Link is an application link as Bitbucket shows it.
type Link struct {
	ID         string
	Name       string
	URL        string // rpcUrl: what makes the link the one it is; it never changes
	DisplayURL string
	Type       string // "generic" for Terraform
	Primary    bool
	System     bool

	ConsumerKey string // of its incoming consumer, "" for none
	KeyListed   bool   // ConsumerKey is known; else Client.Consumer has to be asked
}

// OwnLinks begins the addresses of bbsync's own links, which it logs in with.
const OwnLinks = "https://bbsync.invalid/"

// Own reports whether it is a link that some bbsync logs in with.
func (l Link) Own() bool { return strings.HasPrefix(l.URL, OwnLinks) }

// genericType is the type of links to applications that are not Atlassian's.
const genericType = "generic"

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Generic reports whether the link is one that can hold Terraform's consumer.
func (l Link) Generic() bool { return l.Type == genericType && !l.OAuth2() }

// OAuth2 reports whether the entry is an OAuth 2.0 client or provider ("External
// application"), which lists since 7.20 also hold and Terraform cannot use. In the
// vendor's code they are generic, too, and have the scheme and host of some URL alone;
// their id is not that of the URL, and they have no consumer of OAuth 1.0a. What their
// id looks like, and whether other types occur, is not known.
func (l Link) OAuth2() bool {
	kind := strings.ToLower(l.Type)
	switch {
	case strings.Contains(kind, "oauth2"), strings.Contains(kind, "external"):
		return true
	case l.Type != genericType || l.ConsumerKey != "":
		return false
	}
	id, err := LinkID(l.URL)
	return !uuid.MatchString(l.ID) || err == nil && hostOnly(l.URL) && !strings.EqualFold(l.ID, id)
}

func hostOnly(address string) bool {
	_, rest, _ := strings.Cut(address, "://")
	return !strings.ContainsAny(strings.TrimRight(rest, "/"), "/?#")
}

// linkWire takes both spellings: 3.0's list says type, primary and system, the
// older resources typeId, isPrimary and isSystem.
type linkWire struct {
	ID         string `json:"id,omitempty"`
	Name       string `json:"name"`
	RPCURL     string `json:"rpcUrl"`
	DisplayURL string `json:"displayUrl"`
	Type       string `json:"type,omitempty"`
	TypeID     string `json:"typeId,omitempty"`
	Primary    bool   `json:"primary,omitempty"`
	IsPrimary  bool   `json:"isPrimary,omitempty"`
	System     bool   `json:"system,omitempty"`
	IsSystem   bool   `json:"isSystem,omitempty"`

	Properties map[string]any `json:"properties,omitempty"`
}

// consumerKeyProperty is where a link keeps the key of its incoming consumer. The
// newest list shows it to those who ask (seen in the vendor's code).
const consumerKeyProperty = "oauth.incoming.consumerkey"

func (w linkWire) link() Link {
	kind := w.Type
	if kind == "" {
		kind = w.TypeID
	}
	key, _ := w.Properties[consumerKeyProperty].(string)
	return Link{
		ID: w.ID, Name: w.Name, URL: w.RPCURL, DisplayURL: w.DisplayURL, Type: kind,
		Primary: w.Primary || w.IsPrimary, System: w.System || w.IsSystem, ConsumerKey: key,
	}
}

// Links reads all application links, in one request on the versions of today, and
// their consumer keys where the list shows them.
func (c *Client) Links(ctx context.Context) ([]Link, error) {
	var links []Link
	var err error
	// The older resources are asked only where the newer does not exist.
	for i, path := range []string{
		"/rest/applinks/3.0/applinks",
		"/rest/applinks/latest/applicationlink",
		"/rest/applinks/1.0/listApplicationlinks",
	} {
		q := call{op: "reading the application links", path: path, most: maxLinks}
		if i == 0 {
			q.query = url.Values{"property": {consumerKeyProperty}}
		}
		err = c.do(ctx, q, func(a answer) (err error) {
			links, err = readLinks(a.body)
			return err
		})
		if status(err) != http.StatusNotFound {
			return links, err
		}
	}
	return nil, err
}

// readLinks reads the list in each of its forms: an array, an object with the
// array in it, the same with each link wrapped as "application", or XML.
func readLinks(body []byte) ([]Link, error) {
	if isXML(body) {
		return readLinksXML(body)
	}
	var bare []linkWire
	if json.Unmarshal(body, &bare) == nil && bare != nil {
		return toLinks(bare)
	}
	var wrapped struct {
		ApplicationLinks []linkWire `json:"applicationLinks"`
		List             []struct {
			Application linkWire `json:"application"`
		} `json:"list"`
	}
	if err := json.Unmarshal(body, &wrapped); err != nil {
		return nil, err
	}
	if wrapped.ApplicationLinks == nil && wrapped.List == nil {
		return nil, errors.New("not a list of application links")
	}
	for _, entry := range wrapped.List {
		wrapped.ApplicationLinks = append(wrapped.ApplicationLinks, entry.Application)
	}
	return toLinks(wrapped.ApplicationLinks)
}

func toLinks(wires []linkWire) ([]Link, error) {
	links := make([]Link, 0, len(wires))
	for _, w := range wires {
		if w.ID == "" {
			return nil, errors.New("an application link without an id")
		}
		links = append(links, w.link())
	}
	return markListed(links), nil
}

// markListed notes that the consumer keys are known if the list shows any: a server
// that does not show the property would look as if no link had a consumer.
func markListed(links []Link) []Link {
	if slices.ContainsFunc(links, func(l Link) bool { return l.ConsumerKey != "" }) {
		for i := range links {
			links[i].KeyListed = true
		}
	}
	return links
}

func readLinksXML(body []byte) ([]Link, error) {
	objects, err := xmlObjects(body, "rpcUrl")
	if err != nil {
		// An empty list has no such element; whether it is one, the root tells.
		if root, rootErr := xmlObjects([]byte("<r>"+xmlRoot(body)+"</r>"), "applicationLinks"); rootErr == nil && len(root) == 1 {
			return []Link{}, nil
		}
		return nil, err
	}
	wires := make([]linkWire, 0, len(objects))
	for _, o := range objects {
		wires = append(wires, linkWire{
			ID: o["id"], Name: o["name"], RPCURL: o["rpcUrl"], DisplayURL: o["displayUrl"], Type: o["type"], TypeID: o["typeId"],
			Primary: o["primary"] == "true" || o["isPrimary"] == "true", System: o["system"] == "true" || o["isSystem"] == "true",
		})
	}
	return toLinks(wires)
}

// xmlRoot drops the XML declaration.
func xmlRoot(body []byte) string {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "<?") {
		_, text, _ = strings.Cut(text, "?>")
	}
	return text
}

// link reads one link. ErrNotFound: there is none. The list decides where the
// resource for one link is not served, or answers 500 to an id that it does not
// know, as the older one does.
func (c *Client) link(ctx context.Context, id string) (Link, error) {
	var one Link
	q := call{op: "reading the application link", object: quote(id), path: "/rest/applinks/3.0/applinks/" + segment(id)}
	err := c.do(ctx, q, func(a answer) (err error) {
		one, err = readLink(a.body)
		return err
	})
	if err == nil {
		return one, nil
	}
	if !missing(err) && status(err) != http.StatusInternalServerError {
		return Link{}, err
	}
	links, listErr := c.Links(ctx)
	if listErr != nil {
		return Link{}, listErr
	}
	for _, l := range links {
		if strings.EqualFold(l.ID, id) {
			return l, nil
		}
	}
	e := c.fault(q)
	e.Status, e.kind = http.StatusNotFound, ErrNotFound
	return Link{}, e
}

// readLink reads one link, in JSON or XML.
func readLink(body []byte) (Link, error) {
	if isXML(body) {
		links, err := readLinksXML(body)
		if err != nil || len(links) != 1 {
			return Link{}, errors.Join(errors.New("not one application link"), err)
		}
		return links[0], nil
	}
	var wire linkWire
	if err := decode(&wire)(answer{body: body}); err != nil {
		return Link{}, err
	}
	if wire.ID == "" || wire.RPCURL == "" {
		return Link{}, errors.New("not an application link")
	}
	return wire.link(), nil
}

// applinkPath is the module that links are written through: 3.0, or 2.0 on
// servers that do not have that.
func (c *Client) applinkPath() string {
	if v := c.applinks.Load(); v != nil {
		return *v
	}
	return "/rest/applinks/3.0"
}
