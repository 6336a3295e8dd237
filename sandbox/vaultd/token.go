package vaultd

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultTTL is how long a token lives that asks for nothing: Vault's 32 days.
const defaultTTL = 768 * time.Hour

// A token ends at Expires, and at the latest at Max, unless these are zero.
type token struct {
	Policies  []string      `json:"policies"`
	Created   time.Time     `json:"created"`
	Expires   time.Time     `json:"expires"`
	Max       time.Time     `json:"max"`
	TTL       time.Duration `json:"ttl"`
	Explicit  time.Duration `json:"explicit_max_ttl,omitempty"` // asked for; 0: none
	Renewable bool          `json:"renewable"`
	Display   string        `json:"display"`
	Orphan    bool          `json:"orphan"`
	Accessor  string        `json:"accessor"`
}

// A TokenRequest says what a new token may do and how long it lives.
type TokenRequest struct {
	ID        string // empty: random
	Policies  []string
	TTL       time.Duration // 0: 32 days
	Max       time.Duration // 0: 32 days
	NoDefault bool          // without the default policy
}

// Token makes a token.
func (s *Server) Token(want TokenRequest) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := s.makeToken(want, "token")
	return id
}

// Revoke ends a token at once.
func (s *Server) Revoke(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state.Tokens, id)
}

func (s *Server) makeToken(want TokenRequest, display string) (string, *token) {
	now := s.now()
	t := &token{Created: now, Renewable: true, Display: display, Accessor: rand.Text()}
	t.Policies = slices.Clone(want.Policies)
	if !want.NoDefault && !slices.Contains(t.Policies, "root") {
		t.Policies = append(t.Policies, "default")
	}
	slices.Sort(t.Policies)
	t.Policies = slices.Compact(t.Policies)
	t.Max = now.Add(defaultTTL)
	if want.Max > 0 {
		t.Max = now.Add(want.Max)
	}
	t.TTL = defaultTTL
	if want.TTL > 0 {
		t.TTL = want.TTL
	}
	t.prolong(now, t.TTL)
	id := or(want.ID, "hvs."+rand.Text())
	s.state.Tokens[id] = t
	return id, t
}

func (t *token) prolong(now time.Time, by time.Duration) {
	t.Expires = now.Add(by)
	if !t.Max.IsZero() && t.Expires.After(t.Max) {
		t.Expires = t.Max
	}
}

// left is in whole seconds, as Vault has it; 0 for a token without end.
func (t *token) left(now time.Time) int {
	if t.Expires.IsZero() {
		return 0
	}
	return max(0, int(t.Expires.Sub(now).Round(time.Second)/time.Second))
}

// live returns the token, nil when it is unknown or has ended.
func (s *Server) live(id string) *token {
	t := s.state.Tokens[id]
	if t == nil || id == "" {
		return nil
	}
	if !t.Expires.IsZero() && !s.now().Before(t.Expires) {
		delete(s.state.Tokens, id)
		return nil
	}
	return t
}

// auth answers auth/token/.
func (s *Server) auth(c *call) reply {
	c.route = "/v1/" + c.path
	capability := map[string]string{
		"POST create": "update", "GET lookup-self": "read", "POST renew-self": "update", "POST revoke-self": "update",
		"POST revoke": "update",
	}
	name := strings.TrimPrefix(c.path, "auth/token/")
	needs, known := capability[c.method+" "+name]
	if !known {
		return fail(http.StatusNotFound, unsupportedPath)
	}
	if !s.may(c.token, c.path, needs) {
		return fail(http.StatusForbidden, permissionDenied)
	}
	var have reply
	switch name {
	case "create":
		have = s.createToken(c)
	case "lookup-self":
		have = ok(c.token.lookup(c.id, s.now()))
	case "renew-self":
		have = s.renewToken(c)
	case "revoke":
		var id string
		if !c.decode("token", &id) || id == "" {
			return fail(http.StatusBadRequest, "missing token ID")
		}
		delete(s.state.Tokens, id)
	case "revoke-self":
		delete(s.state.Tokens, c.id)
	}
	have.mount = "token"
	return have
}

func (t *token) lookup(id string, now time.Time) any {
	var expires any
	if !t.Expires.IsZero() {
		expires = t.Expires.UTC()
	}
	return map[string]any{
		"accessor": t.Accessor, "creation_time": t.Created.Unix(), "creation_ttl": int(t.TTL / time.Second), "display_name": t.Display,
		"entity_id": "", "expire_time": expires, "explicit_max_ttl": int(t.Explicit / time.Second), "id": id, "issue_time": t.Created.UTC(), "meta": nil,
		"num_uses": 0, "orphan": t.Orphan, "path": "auth/token/create", "policies": t.Policies, "renewable": t.Renewable,
		"ttl": t.left(now), "type": "service",
	}
}

func (t *token) answer(id string, now time.Time) reply {
	return reply{status: http.StatusOK, auth: map[string]any{
		"client_token": id, "accessor": t.Accessor, "policies": t.Policies, "token_policies": t.Policies, "metadata": nil,
		"lease_duration": t.left(now), "renewable": t.Renewable, "entity_id": "", "token_type": "service", "orphan": t.Orphan,
		"mfa_requirement": nil, "num_uses": 0,
	}}
}

func (s *Server) createToken(c *call) reply {
	want := TokenRequest{Policies: slices.Clone(c.token.Policies)}
	var ttl, most seconds
	if !c.decode("id", &want.ID) || !c.decode("policies", &want.Policies) || !c.decode("no_default_policy", &want.NoDefault) ||
		!c.decode("ttl", &ttl) || !c.decode("explicit_max_ttl", &most) {
		return fail(http.StatusBadRequest, "error decoding the request")
	}
	root := slices.Contains(c.token.Policies, "root")
	for _, policy := range want.Policies {
		if !root && !slices.Contains(c.token.Policies, policy) {
			return fail(http.StatusBadRequest, "child policies must be subset of parent")
		}
	}
	if ttl < 0 || most < 0 {
		return fail(http.StatusBadRequest, "ttl must be positive")
	}
	if want.ID != "" && s.state.Tokens[want.ID] != nil {
		return fail(http.StatusBadRequest, "cannot create a token with a duplicate ID")
	}
	want.TTL, want.Max = time.Duration(ttl), time.Duration(most)
	id, made := s.makeToken(want, "token")
	made.Explicit = want.Max
	return made.answer(id, s.now())
}

func (s *Server) renewToken(c *call) reply {
	t := c.token
	if !t.Renewable || t.Expires.IsZero() {
		return fail(http.StatusBadRequest, "lease is not renewable")
	}
	by := seconds(0)
	if !c.decode("increment", &by) {
		return fail(http.StatusBadRequest, "error decoding the request")
	}
	if by <= 0 {
		by = seconds(t.TTL)
	}
	t.prolong(s.now(), time.Duration(by))
	return t.answer(c.id, s.now())
}

// seconds is a duration as Vault takes it: a number, or a text with or without a unit.
type seconds time.Duration

func (s *seconds) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if text == "" || text == "null" {
		return nil
	}
	if n, err := strconv.Atoi(text); err == nil {
		*s = seconds(time.Duration(n) * time.Second)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return &json.UnsupportedValueError{Str: text}
	}
	*s = seconds(d)
	return nil
}
