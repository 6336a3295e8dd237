package bitbucket

import (
	"encoding/json"
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/bbsync/bbsync/internal/httpx"
)

// errorBody is what a body that is no result says, in any of the shapes that
// Bitbucket's modules, its servlets and what stands in front of it use.
type errorBody struct {
	messages  []string
	exception string
	code      int        // status-code of a status document, 0 for none
	listed    bool       // there is a list of errors
	module    bool       // the shape is that of a plugin's REST module, not of the core
	page      bool       // a web page, or other markup that is not Bitbucket's
	web       httpx.Page // of a web page
}

// parseErrorBody reads such a body. It takes anything.
func parseErrorBody(a answer) errorBody {
	text := strings.TrimSpace(string(a.body))
	switch {
	case text == "" || strings.HasPrefix(text, "XSRF"): // a bare string with a page's media type
	case text[0] == '{' || text[0] == '[':
		if b, ok := parseErrorJSON([]byte(text)); ok {
			return b
		}
	default:
		if page, ok := httpx.ReadPage(a.header, a.body); ok {
			return errorBody{messages: []string{page.String()}, page: true, web: page}
		}
		if text[0] == '<' {
			return parseErrorXML(text)
		}
	}
	b := errorBody{}
	b.add(escape(text))
	return b
}

func parseErrorJSON(body []byte) (errorBody, bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return errorBody{}, false
	}
	var b errorBody
	_ = json.Unmarshal(fields["status-code"], &b.code)
	b.addErrors(fields["errors"])
	b.module = b.code != 0 || b.listed && fields["status"] != nil
	for _, name := range []string{"message", "errorMessage", "error", "subCode"} {
		b.addJSON(fields[name])
	}
	return b, true
}

// addErrors adds a list of errors: the core's, with a message and an exception, or
// the newest application links resource's, with a summary.
func (b *errorBody) addErrors(raw json.RawMessage) {
	var list []struct {
		Context       *string `json:"context"`
		Message       string  `json:"message"`
		Summary       string  `json:"summary"`
		ExceptionName string  `json:"exceptionName"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return
	}
	b.listed = len(list) > 0
	for _, e := range list {
		message := escape(e.Message + e.Summary)
		if e.Context != nil && *e.Context != "" {
			message = escape(*e.Context) + ": " + message
		}
		b.add(message)
		if b.exception == "" {
			b.exception = escape(e.ExceptionName)
		}
	}
}

// addJSON adds a string or a list of strings.
func (b *errorBody) addJSON(raw json.RawMessage) {
	var one string
	var many []string
	if json.Unmarshal(raw, &one) == nil {
		many = []string{one}
	} else if json.Unmarshal(raw, &many) != nil {
		return
	}
	for _, m := range many {
		b.add(escape(m))
	}
}

func (b *errorBody) add(message string) {
	if message != "" && len(b.messages) < 5 {
		b.messages = append(b.messages, message)
	}
}

// parseErrorXML reads <status><status-code/><message/></status> and the like: the
// applinks modules answer XML where the Accept header got lost on the way, and
// 10.2 for a path that is not served. Markup without either is not Bitbucket's.
func parseErrorXML(text string) errorBody {
	var b errorBody
	decoder, name := xml.NewDecoder(strings.NewReader(text)), ""
	for {
		token, err := decoder.Token()
		if err != nil { // also io.EOF; a broken document counts as far as it could be read
			b.module = b.code != 0 || len(b.messages) > 0
			if !b.module {
				b.add(escape(text))
			}
			b.page = !b.module
			return b
		}
		switch token := token.(type) {
		case xml.StartElement:
			name = token.Name.Local
		case xml.EndElement:
			name = ""
		case xml.CharData:
			switch name {
			case "message":
				b.add(escape(string(token)))
			case "status-code":
				b.code, _ = strconv.Atoi(strings.TrimSpace(string(token)))
			}
		}
	}
}

// ofObject reports whether a refusal with this status is about the object that
// was asked for. A resource answers with a list of errors or a status document
// and its own message. For a path that is not served the messages are the
// framework's: "null for uri" up to 8, "HTTP 404 Not Found" since 9 (seen on 10.2
// and 10.4). Pages, empty bodies and gateways' JSON say nothing of the object.
func (b errorBody) ofObject(status int) bool {
	if !b.listed && b.code != status {
		return false
	}
	for _, m := range b.messages {
		if strings.HasPrefix(m, "null for uri") || strings.HasPrefix(m, "HTTP "+strconv.Itoa(status)) {
			return false
		}
	}
	return b.listed || len(b.messages) > 0
}
