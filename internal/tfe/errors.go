package tfe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/httpx"
	"github.com/bbsync/bbsync/internal/plaintext"
)

// What can go wrong, for errors.Is, and how to fix each.
var (
	// ErrNotFound is ambiguous: Terraform answers 404 in both cases.
	ErrNotFound = fault.New(fault.Missing, "not found, or not allowed",
		"check the spelling, and that the token's user may see it: Terraform answers 404 in both cases")
	ErrUnauthorized = fault.New(fault.CredentialRefused, "token refused",
		"the token is wrong, expired or revoked: create another one and store it where the configuration names it")
	ErrForbidden = fault.New(fault.Forbidden, "not allowed",
		"give the token's team the permission, or use a token that has it")
	ErrNotEntitled = fault.New(fault.NotEntitled, "not part of the organization's plan", "change the organization's plan")
	ErrInvalid     = fault.New(fault.Invalid, "refused as invalid", "correct what Terraform names")
	ErrRateLimited = fault.New(fault.RateLimited, "rate limit exceeded",
		"someone else uses the same user's limit, or set rate_limit lower")
	ErrUnavailable  = fault.New(fault.Unavailable, "no usable answer from Terraform", "try again later")
	ErrBrokenAnswer = fault.Under(ErrUnavailable, fault.BrokenAnswer, "no usable answer from Terraform",
		"the answer is not what Terraform sends; is there a proxy in between?")
	// ErrGateway is an answer of a firewall, a proxy or a single sign-on.
	ErrGateway = fault.New(fault.Gateway, "answered by something in front of Terraform",
		"let bbsync's requests pass through what is in front of Terraform")
	// ErrUnknownOutcome is a lost answer that could not be settled.
	ErrUnknownOutcome = fault.New(fault.UnknownOutcome, "outcome of the write not known", "run again: the next run reads first")
	// ErrUnsupported is for an endpoint that older releases do not have.
	ErrUnsupported = fault.New(fault.Unsupported, "this release of Terraform cannot tell", "")
	// ErrTokenRefused says that Terraform could not use an OAuth token on Bitbucket.
	ErrTokenRefused = fault.New(fault.CredentialRefused, "the OAuth token does not work",
		"run bbsync authorize: someone opens its link as the service user")
)

// An Error is what went wrong with one request.
type Error struct {
	Op      string // "listing OAuth clients of"
	Object  string // organization acme
	Status  int    // of HTTP; 0 if there was no answer
	Title   string // as the server has it, control characters escaped
	Detail  string
	Pointer string // to the attribute at fault: /data/attributes/key
	Hint    string // what to do next; "" if the kind says enough
	Kind    error  // one of the faults above, or nil
	Cause   error  // what the network or the decoder said, or nil
}

func (e *Error) Error() string { return fault.Text(e, e.Kind) }

// Explain implements fault.Explainer.
func (e *Error) Explain() (cause, fix string) {
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
	return b.String(), e.Hint
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

// broken is the error of an answer of another shape than documented.
func broken(req request, why error) error {
	return &Error{Op: req.op, Object: req.object, Kind: ErrBrokenAnswer, Cause: why}
}

// kindOf returns the kind of a status that is no success.
func kindOf(status int) error {
	switch {
	case status == http.StatusUnauthorized:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrForbidden
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusBadRequest || status == http.StatusConflict || status == http.StatusUnprocessableEntity:
		return ErrInvalid
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status >= http.StatusInternalServerError:
		return ErrUnavailable
	}
	return nil
}

// mostText is how much of one string of the server an error repeats, in characters.
const mostText = 400

// clean makes a string of the server one harmless line, and shortens it.
func clean(s string) string { return plaintext.Line(plaintext.Cut(strings.TrimSpace(s), mostText)) }
