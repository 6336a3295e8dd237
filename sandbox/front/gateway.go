package front

import (
	"net/http"
	"slices"
)

// A Gateway stands in front of a server and lets requests with its headers through.
// It answers the others itself.
type Gateway struct {
	Headers map[string]string
	Methods []string // that want the headers; empty: all
	Answer  http.HandlerFunc
}

// admits reports whether a request has the headers. Without a gateway every request has.
func (g *Gateway) admits(r *http.Request) bool {
	if g == nil || len(g.Methods) > 0 && !slices.Contains(g.Methods, r.Method) {
		return true
	}
	for name, value := range g.Headers {
		if r.Header.Get(name) != value {
			return false
		}
	}
	return true
}
