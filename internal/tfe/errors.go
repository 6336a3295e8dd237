package tfe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/plaintext"
)

// What can be asked of an error with errors.Is.
var (
	ErrNotFound       = errors.New("not found, or not allowed") // Terraform answers both alike; see Explain404
	ErrUnauthorized   = errors.New("token refused")             // wrong, expired or revoked
	ErrForbidden      = errors.New("not allowed")
	ErrNotEntitled    = errors.New("not part of the organization's plan")
	ErrInvalid        = errors.New("refused as invalid") // 422
	ErrRateLimited    = errors.New("rate limit exceeded")
	ErrUnavailable    = errors.New("no usable answer from Terraform")
	ErrGateway        = errors.New("answered by something in front of Terraform") // a firewall, a proxy or a single sign-on
	ErrUnknownOutcome = errors.New("outcome of the write not known")              // the answer was lost and could not be settled
	ErrUnsupported    = errors.New("this release of Terraform cannot tell")       // an endpoint that older releases lack
	ErrTokenRefused   = errors.New("the OAuth token does not work")               // Terraform could not use it on its VCS provider
)

// An Error is what went wrong with one request.
type Error struct {
	Op      string // "listing OAuth clients of"
	Object  string // organization acme
	Status  int    // of HTTP; 0 if there was no answer
	Title   string // as the server has it, control characters escaped
	Detail  string
	Pointer string // to the attribute at fault: /data/attributes/key
	Hint    string // what to do next
	Kind    error  // one of the sentinels, or nil
	Cause   error  // what the network or the decoder said, or nil
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "terraform: %s %s", e.Op, clean(e.Object))
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d", e.Status)
	}
	if said := e.said(); said != "" {
		fmt.Fprintf(&b, ": Terraform says %q", said)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

func (e *Error) said() string {
	said := e.Title
	if e.Detail != "" {
		if said != "" {
			said += ": "
		}
		said += e.Detail
	}
	if e.Pointer != "" {
		said += " at " + e.Pointer
	}
	return said
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// read takes what the server says of an error. Most answers have JSON:API's form;
// some have plain texts in a list, and a proxy's have neither.
func (e *Error) read(body []byte) {
	var said struct {
		Errors []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &said) != nil {
		return
	}
	var titles, details []string
	for _, raw := range said.Errors {
		var one struct {
			Title  string `json:"title"`
			Detail string `json:"detail"`
			Source struct {
				Pointer string `json:"pointer"`
			} `json:"source"`
		}
		var text string
		switch {
		case json.Unmarshal(raw, &text) == nil:
			details = append(details, text)
		case json.Unmarshal(raw, &one) == nil || one.Title != "":
			titles = append(titles, one.Title)
			if one.Detail != "" {
				details = append(details, one.Detail)
			}
			if e.Pointer == "" {
				e.Pointer = clean(one.Source.Pointer)
			}
		}
	}
	if len(titles) > 0 {
		e.Title = clean(titles[0]) // one is as good as the others
	}
	e.Detail = clean(strings.Join(details, "; "))
}

// gateway judges a web page: what it says of tokens and objects is not Terraform's
// word. A refusal is final, anything else may be over at the next try.
func (e *Error) gateway(page httpx.Page) {
	e.Kind, e.Cause = ErrUnavailable, errors.New(page.String())
	e.Hint = page.Advice("Terraform")
	if page.Asks() || e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError {
		e.Kind = ErrGateway
	}
}

// judge gives a status its kind and its hint.
func (e *Error) judge() {
	switch {
	case e.Status == http.StatusUnauthorized:
		e.Kind, e.Hint = ErrUnauthorized, "the token is wrong, expired or revoked"
	case e.Status == http.StatusForbidden:
		e.Kind = ErrForbidden
	case e.Status == http.StatusNotFound:
		e.Kind = ErrNotFound
	case e.Status == http.StatusUnprocessableEntity:
		e.Kind = ErrInvalid
	case e.Status == http.StatusTooManyRequests:
		e.Kind, e.Hint = ErrRateLimited, "someone else uses the same user's limit, or set rate_limit lower"
	case e.Status >= http.StatusInternalServerError:
		e.Kind, e.Hint = ErrUnavailable, "try again later"
	}
}

// mostText is how much of one string of the server an error repeats, in characters.
const mostText = 400

// clean makes a string of the server one harmless line, and shortens it.
func clean(s string) string { return plaintext.Line(plaintext.Cut(strings.TrimSpace(s), mostText)) }
