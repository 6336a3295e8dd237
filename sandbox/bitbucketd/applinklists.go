package bitbucketd

import (
	"encoding/xml"
	"net/http"
)

// linkV3 is a link as the resource of the newer pages has it. It is always JSON.
type linkV3 struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	DisplayURL string         `json:"displayUrl"`
	RPCURL     string         `json:"rpcUrl"`
	Type       string         `json:"type"`
	Primary    bool           `json:"primary"`
	System     bool           `json:"system"`
	Data       map[string]any `json:"data"`
	Properties map[string]any `json:"properties"`
}

// v3 returns the link with the properties that the caller asked for: any names, of
// which the sandbox knows one.
func (c *call) v3(l *Link) linkV3 {
	properties := map[string]any{}
	for _, name := range c.r.URL.Query()["property"] {
		if c.opts.NoLinkProperties {
			break
		}
		properties[name] = nil
		if name == "oauth.incoming.consumerkey" && l.Consumer != "" {
			properties[name] = l.Consumer
		}
	}
	return linkV3{
		ID: l.ID, Name: l.Name, DisplayURL: l.DisplayURL, RPCURL: l.RPCURL, Type: l.Type, Primary: l.Primary,
		System: l.System, Data: map[string]any{}, Properties: properties,
	}
}

// v3Errors is an error of that resource.
type v3Errors struct {
	Status int       `json:"status"`
	Errors []v3Error `json:"errors"`
}

type v3Error struct {
	Context *string  `json:"context"`
	Summary string   `json:"summary"`
	Details []string `json:"details"`
}

func refuseV3(status int, summary string) error {
	return &refusal{reply{status: status, body: v3Errors{status, []v3Error{{Summary: summary, Details: []string{}}}}}}
}

func (c *call) noLinkV3() error {
	return refuseV3(http.StatusNotFound, "No Application Link found for ID '"+c.r.PathValue("id")+"'.")
}

// linkAdminV3 lets administrators in, without WebSudo. Doubt: the texts.
func (c *call) linkAdminV3() error {
	switch {
	case c.who.user == nil:
		return refuseV3(http.StatusUnauthorized, "You must be logged in to access this resource.")
	case !c.mayLink():
		return refuseV3(http.StatusForbidden, "You must be an administrator to access this resource.")
	}
	return nil
}

// listLinksV3 answers an array, not a page. The OAuth 2.0 ones are in it.
func listLinksV3(c *call) (reply, error) {
	if err := c.linkAdminV3(); err != nil {
		return reply{}, err
	}
	list := []linkV3{}
	for _, l := range c.st.Links {
		if !l.OAuth2 || c.version.hasOAuth2Links() {
			list = append(list, c.v3(l))
		}
	}
	return reply{body: list}, nil
}

func getLinkV3(c *call) (reply, error) {
	if err := c.linkAdminV3(); err != nil {
		return reply{}, err
	}
	l := c.st.linkByID(c.r.PathValue("id"))
	if l == nil {
		return reply{}, c.noLinkV3()
	}
	return reply{body: c.v3(l)}, nil
}

func updateLinkV3(c *call) (reply, error) {
	if err := c.linkAdminV3(); err != nil {
		return reply{}, err
	}
	var in linkV3
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	l := c.st.linkByID(c.r.PathValue("id"))
	if l == nil {
		return reply{}, c.noLinkV3()
	}
	if err := c.changeLink(l, in.Name, in.DisplayURL, in.RPCURL); err != nil {
		return reply{}, err
	}
	return reply{body: c.v3(l)}, nil
}

func deleteLinkV3(c *call) (reply, error) {
	if err := c.linkAdminV3(); err != nil {
		return reply{}, err
	}
	l, err := c.linkToDelete(c.noLinkV3)
	if err != nil {
		return reply{}, err
	}
	c.removeLink(l)
	return reply{status: http.StatusNoContent}, nil
}

type linkList struct {
	XMLName xml.Name          `json:"-" xml:"applicationLinks"`
	Links   []applicationLink `json:"applicationLinks" xml:"applicationLinks"`
}

func listLinks(c *call) (reply, error) {
	if err := c.linkAdmin(guarded); err != nil {
		return reply{}, err
	}
	list := linkList{Links: []applicationLink{}}
	for _, l := range c.st.Links {
		if !l.OAuth2 {
			list.Links = append(list.Links, c.linkEntity(l))
		}
	}
	return reply{body: list, xml: true}, nil
}

// getLink answers a link that does not exist with a 500: the resource reads the
// fields of nothing. Doubt: seen in code, not on the wire.
func getLink(c *call) (reply, error) {
	if err := c.linkAdmin(guarded); err != nil {
		return reply{}, err
	}
	l := c.st.linkByID(c.r.PathValue("id"))
	if l == nil {
		return reply{}, refuseStatus(http.StatusInternalServerError, "java.lang.NullPointerException")
	}
	return reply{body: c.linkEntity(l), xml: true}, nil
}

// linkWithState is an item of the list that the administration page of old shows.
type linkWithState struct {
	State       string          `json:"appLinkState" xml:"appLinkState"`
	Application applicationLink `json:"application" xml:"application"`
	Inbound     []string        `json:"configuredInboundAuthenticators" xml:"configuredInboundAuthenticators"`
	Outbound    []string        `json:"configuredOutboundAuthenticators" xml:"configuredOutboundAuthenticators"`
	EntityTypes []string        `json:"entityTypeIdStrings" xml:"entityTypeIdStrings"`
	HasIncoming bool            `json:"hasIncomingAuthenticationProviders" xml:"hasIncomingAuthenticationProviders"`
	HasOutgoing bool            `json:"hasOutgoingAuthenticationProviders" xml:"hasOutgoingAuthenticationProviders"`
	IsSystem    bool            `json:"isSystem" xml:"isSystem"`
	WebItems    []string        `json:"webItems" xml:"webItems"`
	WebPanels   []string        `json:"webPanels" xml:"webPanels"`
}

type linkStates struct {
	XMLName xml.Name        `json:"-" xml:"listApplicationLinks"`
	List    []linkWithState `json:"list" xml:"list"`
}

func listLinkStates(c *call) (reply, error) {
	if err := c.linkAdmin(unguarded); err != nil {
		return reply{}, err
	}
	out := linkStates{List: []linkWithState{}}
	for _, l := range c.st.Links {
		if l.OAuth2 {
			continue
		}
		inbound := []string{}
		if l.Consumer != "" {
			inbound = append(inbound, "com.atlassian.applinks.api.auth.types.OAuthAuthenticationProvider")
		}
		out.List = append(out.List, linkWithState{
			State: "OK", Application: c.linkEntity(l), Inbound: inbound, Outbound: []string{},
			EntityTypes: []string{}, HasIncoming: true, HasOutgoing: true, IsSystem: l.System, WebItems: []string{}, WebPanels: []string{},
		})
	}
	return reply{body: out, xml: true}, nil
}
