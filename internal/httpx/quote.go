package httpx

import (
	"net/http"
	"strings"

	"github.com/bbsync/bbsync/internal/plaintext"
	"github.com/bbsync/bbsync/internal/secret"
)

// maxQuote is how much of an answer an error quotes, in runes.
const maxQuote = 300

// Quote says in one line, without secrets, what an answer that is no success says:
// where it redirects to, which page it is, or how it begins.
func (r *Redactor) Quote(resp *http.Response, body []byte) string {
	if err := Redirected(resp); err != nil {
		return r.String(err.Error())
	}
	if page, ok := ReadPage(resp.Header, body); ok {
		return r.String(page.String())
	}
	return plaintext.Line(plaintext.Cut(r.String(string(body)), maxQuote))
}

// Quoting wraps a Transport for libraries that put bodies into their errors: the
// body of an answer that is no success becomes its Quote, from which the request's
// own headers are removed, too.
func Quoting(base *Transport) http.RoundTripper { return &quoting{base} }

type quoting struct{ *Transport }

// RoundTrip implements http.RoundTripper.
func (q *quoting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := q.Transport.RoundTrip(req)
	if err != nil || resp.StatusCode < http.StatusMultipleChoices {
		return resp, err
	}
	body, err := Bytes(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = newWhole([]byte(q.options.Redact.With(sentHeaders(req.Header)...).Quote(resp, body)))
	return resp, nil
}

// sentHeaders returns what a request's headers may hold of secrets: all values but
// those that describe the body or the client.
func sentHeaders(h http.Header) []secret.Text {
	var secrets []secret.Text
	for name, values := range h {
		switch name {
		case "Accept", "Content-Encoding", "Content-Length", "Content-Type", "User-Agent":
			continue
		}
		for _, value := range values {
			secrets = append(secrets, secret.New(value))
			if _, credential, found := strings.Cut(value, " "); found {
				secrets = append(secrets, secret.New(credential))
			}
		}
	}
	return secrets
}
