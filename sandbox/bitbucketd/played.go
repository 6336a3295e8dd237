package bitbucketd

import (
	"context"
	"net/http"
)

type playedKey struct{}

// HandlerAs returns the server's HTTP handler for people that the sandbox plays: who
// calls is that user, however the server wants its users to log in.
func (s *Server) HandlerAs(user string) http.Handler {
	handler := s.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), playedKey{}, user)))
	})
}

// played takes the caller from the sandbox itself, and reports whether it did.
func (c *call) played() bool {
	name, ok := c.r.Context().Value(playedKey{}).(string)
	if ok {
		c.who = actor{user: c.st.User(name), by: byPlay}
	}
	return ok
}
