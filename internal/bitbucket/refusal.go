package bitbucket

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// said is what a body that is no result says, in any of the shapes that
// Bitbucket's modules, its servlets and proxies before it use.
type said struct {
	messages  []string
	exception string
	code      int  // status-code of a status document, 0 for none
	listed    bool // there is a list of errors
	module    bool // the shape is that of a plugin's REST module, not of the core
	page      bool // an HTML page
}

// listen reads such a body. It takes anything.
func listen(body []byte) said {
	text := strings.TrimSpace(string(body))
	switch {
	case text == "":
		return said{}
	case text[0] == '{' || text[0] == '[':
		if s, ok := listenJSON([]byte(text)); ok {
			return s
		}
	case text[0] == '<':
		if s, ok := listenXML(text); ok {
			return s
		}
		return said{messages: []string{"an HTML page" + title(text)}, page: true}
	}
	return said{messages: []string{escape(text)}}
}

func listenJSON(body []byte) (said, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return said{}, false
	}
	var s said
	for _, name := range []string{"status-code", "status"} {
		if _, ok := fields[name]; ok {
			s.module = true
		}
	}
	var list []struct {
		Context       *string `json:"context"`
		Message       string  `json:"message"`
		ExceptionName string  `json:"exceptionName"`
	}
	_ = json.Unmarshal(fields["status-code"], &s.code)
	if json.Unmarshal(fields["errors"], &list) == nil {
		s.listed = len(list) > 0
		for _, e := range list {
			message := escape(e.Message)
			if e.Context != nil && *e.Context != "" {
				message = escape(*e.Context) + ": " + message
			}
			s.add(message)
			if s.exception == "" {
				s.exception = escape(e.ExceptionName)
			}
		}
	}
	for _, name := range []string{"message", "errorMessage", "error", "subCode"} {
		s.addJSON(fields[name])
	}
	return s, true
}

// addJSON adds a text or a list of texts.
func (s *said) addJSON(raw json.RawMessage) {
	var one string
	var many []string
	if json.Unmarshal(raw, &one) == nil {
		many = []string{one}
	} else if json.Unmarshal(raw, &many) != nil {
		return
	}
	for _, m := range many {
		s.add(escape(m))
	}
}

func (s *said) add(message string) {
	if message != "" && len(s.messages) < 5 {
		s.messages = append(s.messages, message)
	}
}

// listenXML reads <status><status-code/><message/></status> and the like: the
// applinks modules answer XML where the Accept header got lost on the way.
func listenXML(text string) (said, bool) {
	lower := strings.ToLower(text[:min(len(text), 200)])
	if strings.Contains(lower, "<!doctype html") || strings.Contains(lower, "<html") {
		return said{}, false
	}
	s := said{module: true}
	decoder, name := xml.NewDecoder(strings.NewReader(text)), ""
	elements := 0
	for {
		token, err := decoder.Token()
		if err != nil {
			// A document that ends well ends with io.EOF; a broken one was read as far
			// as it went.
			return s, elements > 0
		}
		switch token := token.(type) {
		case xml.StartElement:
			name = token.Name.Local
			elements++
		case xml.EndElement:
			name = ""
		case xml.CharData:
			switch name {
			case "message":
				s.add(escape(string(token)))
			case "status-code":
				s.code, _ = strconv.Atoi(strings.TrimSpace(string(token)))
			}
		}
	}
}

// title returns ` titled "..."` for a page that has a title.
func title(page string) string {
	tokens, inside := html.NewTokenizer(strings.NewReader(page)), false
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken:
			name, _ := tokens.TagName()
			inside = string(name) == "title"
		case html.TextToken:
			if text := escape(string(tokens.Text())); inside && text != "" {
				return ` titled "` + text + `"`
			}
		case html.EndTagToken:
			inside = false
		case html.SelfClosingTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

// refusal makes the Error of an answer that is not a success.
func (c *Client) refusal(q call, a answer) *Error {
	s := listen(a.body)
	e := c.fault(q)
	e.Status, e.Messages, e.Exception, e.page = a.status, s.messages, s.exception, s.page
	e.RequestID = escape(a.header.Get("X-Arequestid"))
	e.kind = classify(q, a, s)
	switch a.status {
	case http.StatusTooManyRequests:
		e.undone, e.retryAfter = true, advice(a.header).RetryAfter
	case http.StatusInternalServerError:
		e.lost = true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.lost, e.retryAfter = true, advice(a.header).RetryAfter
	}
	if a.status >= 300 && a.status < 400 {
		e.Messages = []string{"it points to " + place(a.header.Get("Location"))}
	}
	e.Advice = c.advise(e)
	if a.status == http.StatusForbidden && !q.anonymous && !errors.Is(e.kind, ErrCaptcha) && !admitted(a, said{exception: s.exception}) && !xsrf(e) {
		e.Advice += "; or Basic authentication is switched off for the account (Administration, Authentication methods; from 7.12 on): allow it there"
	}
	return e
}

// classify tells the kinds of refusals apart. Bitbucket answers 401 both to a
// wrong password and to a missing permission.
func classify(q call, a answer, s said) error {
	switch {
	case strings.Contains(s.exception, "Captcha"),
		strings.Contains(a.header.Get("X-Authentication-Denied-Reason"), "CAPTCHA"):
		return ErrCaptcha
	case a.status == http.StatusUnauthorized && (q.anonymous || admitted(a, s)), a.status == http.StatusForbidden:
		return ErrForbidden
	case a.status == http.StatusUnauthorized:
		return ErrCredentials
	case a.status == http.StatusNotFound && s.ofObject(a.status):
		return ErrNotFound
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		return ErrNotServed
	case a.status == http.StatusConflict:
		return ErrExists
	case a.status == http.StatusTooManyRequests, a.status == http.StatusBadGateway,
		a.status == http.StatusServiceUnavailable, a.status == http.StatusGatewayTimeout:
		return ErrUnavailable
	case a.status < 400:
		return ErrBadAnswer
	}
	return nil
}

// ofObject reports whether a refusal with this status is about the object that
// was asked for. A resource answers with a list of errors or a status document
// and its own message. For a path that is not served the messages are the
// framework's: "null for uri" up to 8, "HTTP 404 Not Found" since 9 (seen on 10.2
// and 10.4). Pages, empty bodies and gateways' JSON say nothing of the object.
func (s said) ofObject(status int) bool {
	if !s.listed && s.code != status {
		return false
	}
	for _, m := range s.messages {
		if strings.HasPrefix(m, "null for uri") || strings.HasPrefix(m, "HTTP "+strconv.Itoa(status)) {
			return false
		}
	}
	return s.listed || len(s.messages) > 0
}

// admitted reports whether a 401 came after the password was accepted: the
// answer names the account, or the exception is the one for permissions, or the
// answer has the shape of a plugin's REST module ({"status-code":401,...}), which
// is asked only after the core let the account in.
func admitted(a answer, s said) bool {
	name := a.header.Get("X-Ausername")
	return name != "" && name != "anonymous" || strings.HasSuffix(s.exception, ".AuthorisationException") || s.module
}

// place shows where a redirect points, without its query.
func place(location string) string {
	if i := strings.IndexAny(location, "?#"); i >= 0 {
		location = location[:i]
	}
	if location == "" {
		return "nowhere"
	}
	return escape(location)
}

// xsrf reports whether the server's check against forged requests refused. Its
// page has no other mark than the word.
func xsrf(e *Error) bool { return strings.Contains(strings.Join(e.Messages, " "), "XSRF") }

// advise says what can be done about an error in general.
func (c *Client) advise(e *Error) string {
	switch {
	case errors.Is(e.kind, ErrCredentials):
		return "check the username and the password of " + quote(c.username) +
			", and that Basic authentication is not switched off for it; nothing more is sent as this account in this run, lest it be locked"
	case errors.Is(e.kind, ErrCaptcha):
		return "have " + quote(c.username) + " log in once in a browser and solve the CAPTCHA, or an administrator clear it" +
			" (Administration, Users), then check the password; nothing more is sent as this account in this run"
	case errors.Is(e.kind, ErrForbidden) && xsrf(e):
		return "either a proxy drops the header X-Atlassian-Token, or the account is locked behind a CAPTCHA: log in once in a browser"
	case errors.Is(e.kind, ErrForbidden) && strings.HasPrefix(e.Path, c.base.EscapedPath()+"/rest/api/"):
		return "give " + quote(c.username) + " the permission for this, or use an account that has it"
	case errors.Is(e.kind, ErrForbidden):
		return "this takes an account with global ADMIN permission: check that " + quote(c.username) + " has it"
	case e.Status >= 300 && e.Status < 400:
		return "check the url: scheme, host, port and context path must be the server's own base URL"
	case errors.Is(e.kind, ErrNotServed):
		return "check the url's context path, and what stands between bbsync and Bitbucket; an older version may lack this resource"
	case errors.Is(e.kind, ErrUnavailable) && e.Status != 0:
		return "try again later"
	}
	return ""
}

func quote(name string) string { return `"` + escape(name) + `"` }
