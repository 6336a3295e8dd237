package bitbucketd

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/bbsync/bbsync/sandbox/front"
)

// maxBody bounds the bodies that are read.
const maxBody = 1 << 20

// call is one request. Its handler runs with the server locked.
type call struct {
	*Server
	r      *http.Request // with the path below the context path
	raw    *url.URL      // with the context path
	body   []byte
	who    actor
	writes []string // told to the listeners when the lock is gone

	node    int            // of the cluster
	cookies []*http.Cookie // to be set by the answer
}

// handler answers a call. Its error is a *refusal, or becomes a 500.
type handler func(*call) (reply, error)

// reply is an answer. At most one of body and text is set.
type reply struct {
	status int // zero: 200
	header http.Header
	body   any  // sent as JSON
	xml    bool // or as XML, unless the caller asks for JSON
	text   string
	media  string // of text

	// later, if set, makes the answer when the server is no longer locked.
	later func() reply
}

// kind is what a resource's framework checks before the resource is asked.
type kind int

const (
	restKind    kind = iota // REST: credentials of all kinds, XSRF rule, errors as JSON
	servletKind             // pages: sessions, their own XSRF rule, errors as HTML
)

// Handler returns the server's HTTP handler. Routes are told to package front.
func (s *Server) Handler() http.Handler {
	s.mu.Lock()
	if s.mux == nil {
		s.mux = http.NewServeMux()
		s.routes(s.mux)
	}
	routed := front.Routed(s.mux)
	s.mu.Unlock()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		context := s.base.Path
		s.mu.Unlock()
		path, ok := strings.CutPrefix(r.URL.Path, context)
		if !ok || path == "" || path[0] != '/' {
			http.NotFound(w, r)
			return
		}
		inner := r.Clone(r.Context())
		inner.URL.Path = path
		inner.URL.RawPath = strings.TrimPrefix(r.URL.EscapedPath(), context)
		routed.ServeHTTP(w, inner)
	})
}

func (s *Server) serve(k kind, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "request body: "+err.Error(), http.StatusBadRequest)
			return
		}
		c := &call{Server: s, r: r, body: body}
		rep := c.run(k, h)
		s.tell(c.writes)
		if rep.later != nil {
			rep = rep.later()
		}
		c.send(w, k, rep)
	}
}

// run authenticates the caller and asks the handler, with the server locked.
func (c *call) run(k kind, h handler) reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw := *c.r.URL
	raw.Path = c.base.Path + raw.Path
	raw.RawPath = c.base.Path + c.r.URL.EscapedPath()
	c.raw = &raw
	c.node = c.chooseNode()
	rep, err := reply{}, c.authenticate(k)
	if err == nil && k == restKind {
		err = c.checkXSRF()
	}
	if err == nil {
		err = c.adminPath()
	}
	if err == nil {
		rep, err = h(c)
	}
	if err == nil {
		return rep
	}
	if no, ok := err.(*refusal); ok { //nolint:errorlint // made here, never wrapped
		return no.reply
	}
	return coreError(http.StatusInternalServerError, "", "com.atlassian.bitbucket.ServerException", err.Error())
}

func (c *call) send(w http.ResponseWriter, k kind, rep reply) {
	if rep.status == 0 {
		rep.status = http.StatusOK
	}
	media, data, err := rep.encode(c.r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header := http.Header{}
	maps.Copy(header, rep.header)
	for _, cookie := range c.cookies {
		header.Add("Set-Cookie", cookie.String())
	}
	header.Set("Date", c.now().UTC().Format(http.TimeFormat))
	header.Set("X-AREQUESTID", fmt.Sprintf("@SBX%dx%dx0", c.now().Unix()%100000, c.requests.Add(1)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "private, no-cache")
	header.Set("Vary", "x-auserid,cookie,x-ausername,accept-encoding")
	if u := c.who.user; u != nil {
		header.Set("X-AUSERID", fmt.Sprint(u.ID))
		header.Set("X-AUSERNAME", url.PathEscape(u.Name)) // Doubt: how odd names are encoded
	}
	if media != "" {
		header.Set("Content-Type", media)
	}
	if k == restKind && c.opts.Check != nil {
		if err := c.opts.Check(c.r, rep.status, header, data); err != nil {
			http.Error(w, "the answer breaks its contract: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(rep.status)
	_, _ = w.Write(data) // the client went away
}

func (rep reply) encode(r *http.Request) (media string, data []byte, err error) {
	switch {
	case rep.text != "":
		return rep.media, []byte(rep.text), nil
	case rep.body == nil:
		return "", nil, nil
	case rep.xml && !acceptsJSON(r):
		data, err = xml.Marshal(rep.body)
		return "application/xml;charset=UTF-8", append([]byte(xmlHead), data...), err
	}
	data, err = json.Marshal(rep.body)
	return "application/json;charset=UTF-8", data, err
}

// xmlHead begins an XML answer.
const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`

// acceptsJSON reports whether the caller asked for JSON by name: the resources that
// have both put XML first, also for */*.
func acceptsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// decode reads the JSON body. Unknown fields are refused.
// Doubt: the real server may ignore unknown fields of more than projects and
// repositories; what it does not know has no business in a request of bbsync.
func (c *call) decode(v any) error { return c.decodeBody(v, true) }

// decodeEntity reads the JSON body of a project or a repository, whose unknown fields are
// ignored: clients send back all that they read, and more (fluxcd's sends sessionInfo).
func (c *call) decodeEntity(v any) error { return c.decodeBody(v, false) }

func (c *call) decodeBody(v any, strict bool) error {
	if !isJSON(c.r.Header.Get("Content-Type")) {
		return refuse(http.StatusUnsupportedMediaType, "", "Unsupported Media Type")
	}
	dec := json.NewDecoder(bytes.NewReader(c.body))
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(v); err != nil {
		return refuse(http.StatusBadRequest, "com.fasterxml.jackson.core.JsonParseException", "%s", err.Error())
	}
	if dec.More() {
		return refuse(http.StatusBadRequest, "com.fasterxml.jackson.core.JsonParseException", "trailing data")
	}
	return nil
}

// isJSON reports whether the content type is JSON, or something+json.
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// wrote notes a write for the listeners.
func (c *call) wrote(format string, args ...any) {
	c.writes = append(c.writes, fmt.Sprintf(format, args...))
}

// query returns a query parameter.
func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }
