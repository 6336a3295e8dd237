package front

import (
	"net/http"
	"strings"
)

type routeKey struct{}

type routeName struct{ pattern string }

// Route tells the front what route r took, to count it under. A server calls it
// where it has matched the request. Without it a request is counted under the
// http.ServeMux pattern, if that is known, else under its path.
func Route(r *http.Request, pattern string) {
	if n, ok := r.Context().Value(routeKey{}).(*routeName); ok {
		n.pattern = pattern
	}
}

// Routed returns mux such that its patterns become the routes' names, wherever
// between front and mux it stands (a copy of the request does not lose them).
func Routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			Route(r, pattern)
		}
		mux.ServeHTTP(w, r)
	})
}

// or returns the route's name without its method.
func (n *routeName) or(r *http.Request) string {
	pattern := n.pattern
	if pattern == "" {
		pattern = r.Pattern
	}
	if pattern == "" {
		return r.URL.Path
	}
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	return pattern
}
