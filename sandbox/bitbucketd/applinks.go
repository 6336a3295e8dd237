package bitbucketd

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Link is an application link. A link of the OAuth 2.0 kind ("External
// application", since 7.20) has no consumer and is seen in the newest list only. It
// is of type generic, too, its URL is scheme and host only, and its id is not that of
// the URL. Doubt: what its id looks like.
type Link struct {
	ID         string `json:"id"`
	Type       string `json:"type"` // "generic", "jira", …
	Name       string `json:"name"`
	DisplayURL string `json:"displayUrl"`
	RPCURL     string `json:"rpcUrl"`
	Primary    bool   `json:"primary"`
	System     bool   `json:"system"`
	OAuth2     bool   `json:"oauth2"`
	Consumer   string `json:"consumer"` // key of its incoming consumer; "": none
}

// applicationLink is a link as the older resources have it. The type's name is its
// element's name in XML.
type applicationLink struct {
	ID         string    `json:"id" xml:"id"`
	TypeID     string    `json:"typeId" xml:"typeId"`
	Name       string    `json:"name" xml:"name"`
	DisplayURL string    `json:"displayUrl" xml:"displayUrl"`
	IconURL    string    `json:"iconUrl" xml:"iconUrl"`
	IconURI    string    `json:"iconUri,omitempty" xml:"iconUri,omitempty"`
	RPCURL     string    `json:"rpcUrl" xml:"rpcUrl"`
	IsPrimary  bool      `json:"isPrimary" xml:"isPrimary"`
	IsSystem   bool      `json:"isSystem" xml:"isSystem"`
	Link       []linkRef `json:"link" xml:"link"`
}

func (c *call) linkEntity(l *Link) applicationLink {
	return applicationLink{
		ID: l.ID, TypeID: l.Type, Name: l.Name, DisplayURL: l.DisplayURL, RPCURL: l.RPCURL,
		IconURL:   c.base.String() + "/s/images/types/16" + l.Type + ".png",
		IsPrimary: l.Primary, IsSystem: l.System, Link: []linkRef{c.linkRef(l)},
	}
}

func (c *call) linkRef(l *Link) linkRef {
	version := "3.0"
	if c.opts.OldApplinks {
		version = "2.0"
	}
	return linkRef{Href: c.base.String() + "/rest/applinks/" + version + "/applicationlink/" + l.ID, Rel: "self"}
}

// guarding is whether a resource asks for WebSudo.
type guarding bool

const (
	guarded   guarding = true
	unguarded guarding = false
)

// linkAdmin lets administrators in. The older resources of application links answer
// others with a 401 of their own, whoever they are.
func (c *call) linkAdmin(g guarding) error {
	if g == guarded && c.opts.WebSudoFirst {
		if err := c.webSudo(); err != nil {
			return err
		}
	}
	if !c.mayLink() {
		return refuseStatus(http.StatusUnauthorized, "You must be logged in as an admin to access this resource.")
	}
	if g == guarded {
		return c.webSudo()
	}
	return nil
}

func (c *call) mayLink() bool {
	return c.globalRank() >= Admin.rank() && (c.who.by != byOAuth || !c.opts.SignedNotOnLinks)
}

// linkByID returns the link of the OAuth 1.0a kind, or nil.
func (st *State) linkByID(id string) *Link {
	for _, l := range st.Links {
		if l.ID == id && !l.OAuth2 {
			return l
		}
	}
	return nil
}

// createLink serves PUT on the collection. Nothing is asked of the link's address.
func createLink(c *call) (reply, error) {
	if err := c.linkAdmin(guarded); err != nil {
		return reply{}, err
	}
	var in applicationLink
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	l, err := newLink(in)
	if err != nil {
		return reply{}, err
	}
	if c.st.linkByID(l.ID) != nil {
		return reply{}, refuseList("An application link with URL '%s' already exists.", l.RPCURL) // Doubt: text
	}
	c.st.addLink(l)
	c.wrote("application link %s created", l.RPCURL)
	return statusReply(statusMessage{Code: http.StatusCreated, Created: []linkRef{c.linkRef(l)}}), nil
}

// newLink checks what a caller sent. A generic link's id is computed, whatever was sent.
func newLink(in applicationLink) (*Link, error) {
	l := &Link{
		ID: in.ID, Type: in.TypeID, Name: in.Name,
		RPCURL: strings.TrimRight(in.RPCURL, "/"), DisplayURL: strings.TrimRight(in.DisplayURL, "/"),
	}
	switch l.Type {
	case "generic":
		l.ID = linkID(l.RPCURL)
	case "jira", "confluence", "bamboo", "fecru", "fisheye", "crucible", "refapp", "stash":
	default:
		// Doubt: TypeNotInstalledException; its status was not seen.
		return nil, refuseList("Application type '%s' is not installed.", l.Type)
	}
	for _, text := range []string{l.RPCURL, l.DisplayURL} {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || u.Host == "" {
			return nil, refuseList("'%s' is no valid URL.", text)
		}
	}
	if l.Name == "" || l.ID == "" {
		return nil, refuseList("A name is required, and an id for a link that is not generic.")
	}
	return l, nil
}

// addLink adds the link. Its name gets a number if another link has it already; the
// first of its type becomes the primary one.
func (st *State) addLink(l *Link) {
	wanted := l.Name
	for n := 2; st.linkNamed(l.Name, l) != nil; n++ {
		l.Name = wanted + " - " + strconv.Itoa(n)
	}
	l.Primary = true
	for _, other := range st.Links {
		if other.Type == l.Type && other.Primary {
			l.Primary = false
		}
	}
	st.Links = append(st.Links, l)
}

// linkNamed returns another link of that name, or nil.
func (st *State) linkNamed(name string, but *Link) *Link {
	for _, l := range st.Links {
		if l != but && l.Name == name {
			return l
		}
	}
	return nil
}

// updateLink serves POST on a link. The address cannot change.
func updateLink(c *call) (reply, error) {
	if err := c.linkAdmin(guarded); err != nil {
		return reply{}, err
	}
	var in applicationLink
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	l := c.st.linkByID(c.r.PathValue("id"))
	if l == nil {
		return reply{}, refuseList("No application link with id %s.", c.r.PathValue("id"))
	}
	if err := c.changeLink(l, in.Name, in.DisplayURL, in.RPCURL); err != nil {
		return reply{}, err
	}
	return statusReply(statusMessage{Code: http.StatusOK, Updated: []linkRef{c.linkRef(l)}}), nil
}

func (c *call) changeLink(l *Link, name, displayURL, rpcURL string) error {
	switch {
	case l.System && c.globalRank() < SysAdmin.rank():
		return refuseStatus(http.StatusForbidden, "Only a system administrator changes a system link.")
	case strings.TrimRight(rpcURL, "/") != l.RPCURL:
		return refuseList("The RPC URL of an application link cannot be changed.")
	case name == "":
		return refuseList("A name is required.")
	case c.st.linkNamed(name, l) != nil:
		return refuseList("The name '%s' is already used by another application link.", name)
	}
	l.Name, l.DisplayURL = name, strings.TrimRight(displayURL, "/")
	c.wrote("application link %s updated", l.RPCURL)
	return nil
}

func deleteLink(c *call) (reply, error) {
	if err := c.linkAdmin(unguarded); err != nil {
		return reply{}, err
	}
	l, err := c.linkToDelete(func() error {
		return refuseStatus(http.StatusNotFound, "No application link with id %s.", c.r.PathValue("id"))
	})
	if err != nil {
		return reply{}, err
	}
	c.removeLink(l)
	return statusReply(statusMessage{Code: http.StatusOK, Message: "Deleted application with id '" + l.ID + "'"}), nil
}

func (c *call) linkToDelete(missing func() error) (*Link, error) {
	l := c.st.linkByID(c.r.PathValue("id"))
	if l == nil {
		return nil, missing()
	}
	if l.System && c.globalRank() < SysAdmin.rank() {
		return nil, refuseStatus(http.StatusForbidden, "Only a system administrator deletes a system link.")
	}
	return l, nil
}

func (c *call) removeLink(l *Link) {
	c.st.removeLink(l)
	c.wrote("application link %s deleted", l.RPCURL)
}

// removeLink takes the consumer that the link points to along, and its tokens.
func (st *State) removeLink(l *Link) {
	if l.Consumer != "" {
		st.removeConsumer(l.Consumer)
	}
	st.Links = without(st.Links, func(other *Link) bool { return other == l })
}
