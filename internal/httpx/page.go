package httpx

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"golang.org/x/net/html"
)

// A Page is a web page that came where an API's answer was expected: something in
// front of the server, or its own login, answered instead. Its fields are as the
// page has them; String escapes them.
type Page struct {
	Title   string
	Product string // that most likely wrote it: "Cloudflare"; "" if unknown
	Login   bool   // it wants somebody to log in
	Ticket  string // by which the product's administrators find the request; "" for none
}

// WantsCertificate reports whether the page asks for a client certificate. nginx,
// and what is built on it, finishes the handshake without one and sends a page.
func (p Page) WantsCertificate() bool { return strings.Contains(p.Title, "SSL certificate") }

// Advice says how to get past what answered instead of server.
func (p Page) Advice(server string) string {
	switch {
	case p.WantsCertificate():
		return AdviseCertificate
	case p.Login:
		return AdviseSignOn
	}
	return server + " sends no web pages here: check the address, and the proxy, firewall or single sign-on in front of it"
}

// Asks reports whether the page asks for something that has to be configured: the
// same request gets it again.
func (p Page) Asks() bool { return p.Login || p.WantsCertificate() }

// String names the page: `a login page of Okta titled "Sign in"`.
func (p Page) String() string {
	text := "a web page"
	if p.Login {
		text = "a login page"
	}
	if p.Product != "" {
		text += " of " + p.Product
	}
	if p.Title != "" {
		text += fmt.Sprintf(" titled %q", p.Title)
	}
	if p.Ticket != "" {
		text += fmt.Sprintf(" (support id %q)", p.Ticket)
	}
	return text
}

// maxPage bounds how much of a page is read.
const maxPage = 64 << 10

// ReadPage recognizes a web page by its media type or its first element. It takes
// any answer, whatever the status; JSON and XML documents are no pages.
func ReadPage(header http.Header, body []byte) (Page, bool) {
	body = body[:min(len(body), maxPage)]
	if !isHTML(header, body) {
		return Page{}, false
	}
	p := scanPage(body)
	p.recognize(header, body)
	return p, true
}

func isHTML(header http.Header, body []byte) bool {
	start := bytes.TrimLeft(body[:min(len(body), 1024)], "\xef\xbb\xbf \t\r\n")
	if len(start) == 0 || start[0] == '{' || start[0] == '[' { // JSON may come under a wrong media type
		return false
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && (media == "text/html" || media == "application/xhtml+xml") {
		return true
	}
	if start[0] != '<' {
		return false
	}
	start = bytes.ToLower(start)
	return bytes.Contains(start, []byte("<!doctype html")) || bytes.Contains(start, []byte("<html")) || bytes.HasPrefix(start, []byte("<head"))
}

// scanPage finds the title and the form that asks for a login.
func scanPage(page []byte) Page {
	var p Page
	tokens, inTitle := html.NewTokenizer(bytes.NewReader(page)), false
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			inTitle = token.Data == "title"
			p.Login = p.Login || loginElement(token)
		case html.TextToken:
			if inTitle && p.Title == "" {
				p.Title = shorten(strings.Join(strings.Fields(string(tokens.Text())), " "), 200)
			}
		case html.EndTagToken:
			inTitle = false
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

// loginElement reports whether an element belongs to a login form, or to a form
// that a browser posts to a SAML or OpenID Connect identity provider.
func loginElement(token html.Token) bool {
	if token.Data != "input" {
		return false
	}
	kind, name := "", ""
	for _, a := range token.Attr {
		switch a.Key {
		case "type":
			kind = strings.ToLower(a.Val)
		case "name":
			name = a.Val
		}
	}
	return kind == "password" || name == "SAMLRequest" || name == "SAMLResponse" || name == "id_token"
}

// shorten cuts s at a number of runes.
func shorten(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
