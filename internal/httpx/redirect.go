package httpx

import (
	"net/http"
	"net/url"
)

// A RedirectError says that a server redirects. Redirects are not followed: the
// request has credentials.
type RedirectError struct {
	To string // scheme://host[:port]/path, or "nowhere"
}

func (e *RedirectError) Error() string {
	return "it redirects to " + e.To + ", where the credentials are not sent (if that is the right server, configure its address)"
}

// Redirected returns a *RedirectError if resp is a redirect, else nil.
func Redirected(resp *http.Response) error {
	if resp.StatusCode < http.StatusMultipleChoices || resp.StatusCode >= http.StatusBadRequest || resp.StatusCode == http.StatusNotModified {
		return nil
	}
	return &RedirectError{To: Location(resp)}
}

// Location returns where an answer points, without query and fragment, which may
// hold tokens of a login; "nowhere" if it does not say.
func Location(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	return place(to)
}

func place(u *url.URL) string {
	short := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return short.String()
}
