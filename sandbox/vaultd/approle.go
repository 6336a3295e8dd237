package vaultd

import (
	"net/http"
	"strings"
	"time"
)

// A role of AppRole.
type role struct {
	ID        string          `json:"role_id"`
	SecretIDs map[string]bool `json:"secret_ids"`
	Policies  []string        `json:"token_policies"`
	TTL       time.Duration   `json:"token_ttl"`
	Max       time.Duration   `json:"token_max_ttl"`
}

// AppRole makes or changes a role, and returns its id and a new secret id.
func (s *Server) AppRole(name string, want TokenRequest) (roleID, secretID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.role(name)
	r.Policies, r.TTL, r.Max = want.Policies, want.TTL, want.Max
	return r.ID, r.newSecretID()
}

func (s *Server) role(name string) *role {
	if s.state.Roles[name] == nil {
		s.state.Roles[name] = &role{ID: uuid(), SecretIDs: map[string]bool{}}
	}
	return s.state.Roles[name]
}

func (r *role) newSecretID() string {
	id := uuid()
	r.SecretIDs[id] = true
	return id
}

func (s *Server) appRoleLogin(c *call) reply {
	var roleID, secretID string
	if c.method != http.MethodPost || !c.decode("role_id", &roleID) || !c.decode("secret_id", &secretID) {
		return fail(http.StatusBadRequest, "missing role_id")
	}
	for _, r := range s.state.Roles {
		if roleID != "" && r.ID == roleID && r.SecretIDs[secretID] {
			id, made := s.makeToken(TokenRequest{Policies: r.Policies, TTL: r.TTL, Max: r.Max}, "approle")
			return made.answer(id, s.now())
		}
	}
	return fail(http.StatusBadRequest, "invalid role or secret ID")
}

// appRole answers what administrators do: auth/approle/role/<name> and below.
func (s *Server) appRole(c *call) reply {
	rest, ok := strings.CutPrefix(c.path, "auth/approle/role/")
	name, what, _ := strings.Cut(rest, "/")
	if !ok || name == "" {
		return fail(http.StatusNotFound, unsupportedPath)
	}
	c.route = "/v1/auth/approle/role/{name}"
	if what != "" {
		c.route += "/" + what
	}
	if !s.may(c.token, c.path, map[string]string{http.MethodGet: "read", http.MethodPost: "update", http.MethodDelete: "delete"}[c.method]) {
		return fail(http.StatusForbidden, permissionDenied)
	}
	have := s.state.Roles[name]
	switch c.method + " " + what {
	case "POST ":
		return s.putRole(c, name)
	case "GET role-id":
		if have != nil {
			return reply{status: http.StatusOK, data: map[string]string{"role_id": have.ID}, mount: "approle"}
		}
	case "POST secret-id":
		if have != nil {
			return reply{status: http.StatusOK, mount: "approle", data: map[string]any{
				"secret_id":          have.newSecretID(),
				"secret_id_accessor": uuid(), "secret_id_num_uses": 0, "secret_id_ttl": 0,
			}}
		}
	case "DELETE ":
		delete(s.state.Roles, name)
		return reply{}
	}
	return fail(http.StatusNotFound)
}

func (s *Server) putRole(c *call, name string) reply {
	var policies []string
	var ttl, most seconds
	if !c.decode("token_policies", &policies) || !c.decode("token_ttl", &ttl) || !c.decode("token_max_ttl", &most) {
		return fail(http.StatusBadRequest, "error decoding the request")
	}
	r := s.role(name)
	r.Policies, r.TTL, r.Max = policies, time.Duration(ttl), time.Duration(most)
	return reply{}
}
