package bitbucketd

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// orphanedTrust is an incoming consumer of no link. Doubt: the name of the list.
type orphanedTrust struct {
	ID   string `json:"id" xml:"id"`
	Type string `json:"type" xml:"type"`
}

type orphanList struct {
	XMLName xml.Name        `json:"-" xml:"orphanedTrustList"`
	List    []orphanedTrust `json:"orphanedTrust" xml:"orphanedTrust"`
}

func listOrphans(c *call) (reply, error) {
	if err := c.linkAdmin(guarded); err != nil {
		return reply{}, err
	}
	out := orphanList{List: []orphanedTrust{}}
	for key := range c.st.Consumers {
		if !slices.ContainsFunc(c.st.Links, func(l *Link) bool { return l.Consumer == key }) {
			out.List = append(out.List, orphanedTrust{key, "OAUTH"})
		}
	}
	slices.SortFunc(out.List, func(a, b orphanedTrust) int { return strings.Compare(a.ID, b.ID) })
	return reply{body: out, xml: true}, nil
}

// deleteOrphan deletes a consumer by its key, also one that a link has: the link
// keeps pointing to it. Tokens stay, and are good for nothing without their consumer.
func deleteOrphan(c *call) (reply, error) {
	if err := c.linkAdmin(guarded); err != nil {
		return reply{}, err
	}
	id := c.r.PathValue("id")
	if c.r.PathValue("type") != "OAUTH" || c.st.Consumers[id] == nil {
		return reply{}, refuseStatus(http.StatusBadRequest, "No certificate of that type with id: %s", id) // Doubt: of an unknown id
	}
	delete(c.st.Consumers, id)
	c.wrote("consumer %s deleted", id)
	return statusReply(statusMessage{Code: http.StatusOK, Message: "Deleted certificate with id: " + id}), nil
}
