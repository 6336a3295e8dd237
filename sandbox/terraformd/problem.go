package terraformd

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/bbsync/bbsync/sandbox/front"
)

// problem is an answer that is an error, in the API's form.
type problem struct {
	status  int
	title   string
	detail  string
	pointer string
}

// Error implements error.
func (p *problem) Error() string { return strconv.Itoa(p.status) + " " + p.title + ": " + p.detail }

func notFound() *problem {
	// One answer for what is absent and for what is forbidden.
	return &problem{status: http.StatusNotFound, title: "not found"}
}

func unauthorized() *problem {
	return &problem{status: http.StatusUnauthorized, title: "unauthorized"}
}

// invalid is a 422 about one attribute. Which of the two titles the real server
// uses differs by endpoint; the detail is what counts.
func invalid(attribute, detail string) *problem {
	return &problem{
		status: http.StatusUnprocessableEntity, title: "invalid attribute", detail: detail,
		pointer: "/data/attributes/" + attribute,
	}
}

func unprocessable(detail string) *problem {
	return &problem{status: http.StatusUnprocessableEntity, title: "unprocessable entity", detail: detail}
}

func malformed(detail string) *problem {
	return &problem{status: http.StatusBadRequest, title: "JSON body is invalid", detail: detail}
}

type errorSource struct {
	Pointer string `json:"pointer"`
}

type errorObject struct {
	Status string       `json:"status"`
	Title  string       `json:"title"`
	Detail string       `json:"detail,omitempty"`
	Source *errorSource `json:"source,omitempty"`
}

// writeError answers with the problem that err is; any other error is a 500.
func writeError(w http.ResponseWriter, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{status: http.StatusInternalServerError, title: "internal server error"}
	}
	object := errorObject{Status: strconv.Itoa(p.status), Title: p.title, Detail: p.detail}
	if p.pointer != "" {
		object.Source = &errorSource{Pointer: p.pointer}
	}
	writeJSON(w, p.status, struct {
		Errors []errorObject `json:"errors"`
	}{[]errorObject{object}})
}

// tooMany is the body of a 429 as it is documented: its status is a number.
type tooMany struct {
	Errors []tooManyError `json:"errors"`
}

type tooManyError struct {
	Detail string `json:"detail"`
	Status int    `json:"status"`
	Title  string `json:"title"`
}

func tooManyRequests() tooMany {
	return tooMany{Errors: []tooManyError{{
		Detail: "You have exceeded the API's rate limit.", Status: http.StatusTooManyRequests, Title: "Too many requests",
	}}}
}

// TooMany answers a request that exceeds the rate, for front.Options.
func TooMany(w http.ResponseWriter, _ *http.Request, b front.Bucket) {
	Announce(w.Header(), b)
	writeJSON(w, http.StatusTooManyRequests, tooManyRequests())
}

// Announce sets the rate limit headers, for front.Options. The reset is in
// seconds with a fraction.
func Announce(h http.Header, b front.Bucket) {
	setRate(h, int(b.Rate.PerSecond), b.Remaining, b.Wait)
}

func setRate(h http.Header, limit, remaining int, reset time.Duration) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatFloat(reset.Seconds(), 'f', 3, 64))
}
