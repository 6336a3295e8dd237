package httpx

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A RedirectError says that a server redirects. Redirects are not followed: the
// request has credentials.
type RedirectError struct {
	To      string // scheme://host[:port]/path, or "nowhere"
	Product string // whose login To is, "" if it is unknown
	Away    bool   // To is another host
}

func (e *RedirectError) Error() string {
	text := "it redirects to " + e.To
	switch {
	case e.Product != "":
		text += ", a login of " + e.Product
	case e.Away:
		text += ", on another host"
	}
	return text + ", where the credentials are not sent"
}

// ByGateway reports whether an error is a redirect that is certainly not the
// server's own: to a login of a known product.
func ByGateway(err error) bool {
	redirect, ok := errors.AsType[*RedirectError](err)
	return ok && redirect.Product != ""
}

func (e *RedirectError) advice() string {
	const own = "if that is the right server, configure its address"
	switch {
	case e.Product != "":
		return AdviseSignOn
	case e.Away:
		return own + "; if it is a login of a gateway or single sign-on: " + AdviseSignOn
	}
	return own
}

// AdviseSignOn says how bbsync gets past a gateway that wants a login.
const AdviseSignOn = "have the gateway let bbsync's requests pass, or set what it takes from programs, such as a service token, in header blocks or client_certificate"

// Redirected returns a *RedirectError if resp is a redirect, else nil.
func Redirected(resp *http.Response) error {
	if resp.StatusCode < http.StatusMultipleChoices || resp.StatusCode >= http.StatusBadRequest || resp.StatusCode == http.StatusNotModified {
		return nil
	}
	to, err := resp.Location()
	if err != nil {
		return &RedirectError{To: "nowhere"}
	}
	return redirectTo(to, resp.Request)
}

func redirectTo(to *url.URL, from *http.Request) *RedirectError {
	return &RedirectError{
		To: place(to), Product: signOn(to.String()),
		Away: from != nil && from.URL != nil && to.Host != "" && !strings.EqualFold(to.Hostname(), from.URL.Hostname()),
	}
}

// place is a URL without query and fragment, which may hold tokens of a login.
func place(u *url.URL) string {
	short := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return short.String()
}
