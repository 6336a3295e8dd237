package bitbucket

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
)

// movedPath finds a repository in the path that a moved one redirects to.
var movedPath = regexp.MustCompile(`/projects/([^/?#]+)/repos/([^/?#]+)`)

// movedMessage finds it in what Bitbucket's plugins say with status 500 (seen in
// issues of plugins, not documented).
var movedMessage = regexp.MustCompile(`has been moved to\s*["']?([^\s"']*)`)

// movedTo reports whether an answer says that a repository or project was moved
// or renamed, and where to, as "PROJECT/slug", if it says that. Bitbucket redirects
// by its own resources (since 5.0), or answers 409 or 500 with an exception for
// what moved.
func movedTo(a answer, b errorBody) (where string, moved bool) {
	if a.status >= 300 && a.status < 400 {
		if m := movedPath.FindStringSubmatch(a.header.Get("Location")); m != nil {
			return escape(m[1] + "/" + m[2]), true
		}
		return "", false
	}
	text := strings.Join(b.messages, " ")
	m := movedMessage.FindStringSubmatch(text)
	switch {
	case a.status < http.StatusBadRequest || b.page:
		return "", false
	case m != nil:
		return strings.TrimRight(m[1], "."), true
	}
	return "", strings.HasSuffix(b.exception, "MovedException")
}

// ConcernsObject reports whether an error is about the object that was asked for
// and says nothing of the server, the account or the way there: it is missing, was
// moved, is named in a way that Bitbucket refuses, or its state is broken.
func ConcernsObject(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.page {
		return false
	}
	return errors.Is(e, ErrNotFound) || errors.Is(e, ErrMoved) || errors.Is(e, ErrExists) || errors.Is(e, ErrState) ||
		e.Status == http.StatusBadRequest || e.Status == http.StatusInternalServerError
}

// explainObject adds what to do about such an error of a project or repository.
func explainObject(err error) error {
	var e *Error
	if !errors.As(err, &e) || errors.Is(e, ErrMoved) || errors.Is(e, ErrState) {
		return err
	}
	if e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound {
		return e.as(ErrNotFound, "check the project key and the repository slug")
	}
	return e.as(e.kind, "look at the project and the repository on Bitbucket; connections that do not use them are not affected")
}
