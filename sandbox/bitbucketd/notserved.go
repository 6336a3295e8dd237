package bitbucketd

import (
	"encoding/xml"
	"net/http"
	"strings"
)

// notServed answers what no route takes: a path that is known by other methods has a
// refusal of its own.
func notServed(c *call) (reply, error) {
	allowed := c.methods()
	if allowed == nil {
		return unknownREST(c)
	}
	const status = http.StatusMethodNotAllowed
	rep := reply{status: status} // before 9, that is all
	if c.version.since(9, 0, 0) {
		// Doubt: as its 404; it was not seen.
		rep = statusReply(statusMessage{Code: status, Message: "HTTP 405 Method Not Allowed", SubCode: -1})
	}
	rep.header = http.Header{"Allow": {strings.Join(allowed, ",")}}
	return rep, nil
}

// methods returns the methods by which the path is served.
func (c *call) methods() []string {
	var list []string
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} {
		r := c.r.Clone(c.r.Context())
		r.Method = method
		_, pattern := c.mux.Handler(r)
		parts := strings.Split(c.r.URL.Path, "/")
		if pattern == everyREST || strings.Contains(pattern, "{v}") && parts[3] != "1.0" && parts[3] != "latest" {
			continue
		}
		list = append(list, method)
	}
	return list
}

// everyREST is the pattern of what no other takes.
const everyREST = "/rest/"

// unknownREST is the answer to a REST path that is not served: the framework's, which is not that of a resource without the object. Doubt: the
// text up to 8 is that of other servers of its time; 9 was not seen.
func unknownREST(c *call) (reply, error) {
	const status = http.StatusNotFound
	m := statusMessage{Code: status, Message: "HTTP 404 Not Found", SubCode: -1}
	if !c.version.since(9, 0, 0) {
		m.Message, m.SubCode = "null for uri: "+c.base.Scheme+"://"+c.base.Host+c.raw.Path, 0
	}
	if c.version.since(10, 0, 0) && !c.version.since(10, 4, 0) { // seen on 10.2.1: XML whatever is asked for, without sub-code
		data, err := xml.Marshal(statusMessage{Code: status, Message: m.Message})
		return reply{status: status, media: "application/xml;charset=UTF-8", text: xmlHead + string(data)}, err
	}
	return reply{}, &refusal{statusReply(m)}
}
