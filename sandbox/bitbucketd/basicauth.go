package bitbucketd

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// basicFilter refuses Basic authentication where it is switched off. It comes before
// everything else: no password is checked and no failed login is counted. A request
// that is let in because of its path loses its session.
// Doubt: the filter is taken to see every URL; its mapping was not readable.
func (c *call) basicFilter() error {
	set, value := c.basicSettings(), strings.TrimSpace(c.r.Header.Get("Authorization"))
	if !set.Block || !c.version.blocksBasic() || !startsWithFold(value, "Basic ") {
		return nil
	}
	if set.admitsPath(c.r.URL.Path) {
		c.dropSession()
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value[len("Basic "):]))
	name, _, _ := strings.Cut(string(data), ":")
	if err == nil && slices.ContainsFunc(set.AllowedUsers, func(entry string) bool { return entryMatches(entry, name) }) {
		return nil
	}
	return &refusal{c.basicDisabled()}
}

func startsWithFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// admitsPath compares a path inside the application with the allow-list.
func (set BasicAuth) admitsPath(path string) bool {
	path = "/" + strings.TrimPrefix(path, "/")
	path = strings.TrimSuffix(path, "/")
	return slices.ContainsFunc(set.AllowedPaths, func(entry string) bool {
		if !strings.HasPrefix(entry, "*") && !strings.HasPrefix(entry, "?") {
			entry = strings.TrimSuffix("/"+strings.TrimPrefix(entry, "/"), "/")
		}
		return entryMatches(entry, path)
	})
}

// entryMatches compares case-sensitively: an entry with "*" or "?" is a wildcard, of
// which "*" crosses slashes, and any other must be equal.
func entryMatches(entry, value string) bool {
	if !strings.ContainsAny(entry, "*?") {
		return entry == value
	}
	pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(entry))
	matched, err := regexp.MatchString("(?s)^"+pattern+"$", value)
	return err == nil && matched
}

// basicDisabledText is the message of the filter. Doubt: the wording of 10.
const basicDisabledText = "Basic Authentication has been disabled on this instance."

// basicDisabled is the refusal in the media type that the caller wants most. It has
// neither the core's "errors" nor a challenge.
func (c *call) basicDisabled() reply {
	rep := reply{status: http.StatusForbidden}
	switch rep.media = wantedMedia(c.r); rep.media {
	case "application/xml":
		rep.text = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n<warning>\n    <message>" + basicDisabledText + "</message>\n</warning>\n"
	case "text/plain":
		rep.text = basicDisabledText
	default:
		rep.text = `{"message":"` + basicDisabledText + `"}`
	}
	rep.media += ";charset=UTF-8"
	return rep
}

// basicAdmin lets system administrators in. It knows no other refusal than 401.
func (c *call) basicAdmin() error {
	if c.globalRank() >= SysAdmin.rank() {
		return nil
	}
	return &refusal{reply{status: http.StatusUnauthorized, body: statusMessage{
		Code: http.StatusUnauthorized, Message: "Client must be authenticated as a system administrator to access this resource.",
	}}}
}

func getBasicAuth(c *call) (reply, error) {
	if !c.version.blocksBasic() {
		return unknownREST(c)
	}
	if err := c.basicAdmin(); err != nil {
		return reply{}, err
	}
	set := c.basicSettings()
	if set.AllowedUsers == nil {
		set.AllowedUsers = []string{}
	}
	if set.AllowedPaths == nil {
		set.AllowedPaths = []string{}
	}
	return reply{body: set}, nil
}

// putBasicAuth replaces all four settings: a missing bool is false. Doubt: a missing
// list is taken to break the store.
func putBasicAuth(c *call) (reply, error) {
	if !c.version.blocksBasic() {
		return unknownREST(c)
	}
	if err := c.basicAdmin(); err != nil {
		return reply{}, err
	}
	var in BasicAuth
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	if in.AllowedUsers == nil || in.AllowedPaths == nil {
		return reply{}, refuseStatus(http.StatusInternalServerError, "java.lang.NullPointerException")
	}
	c.st.Settings.BasicAuth = in
	c.rereadBasic() // other nodes follow
	c.wrote("basic auth configured")
	return reply{status: http.StatusNoContent}, nil
}
