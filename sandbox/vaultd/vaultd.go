// Package vaultd is the sandbox's small Vault: KV version 2 with real
// check-and-set, KV version 1, tokens that end, policies by path, AppRole, and
// the few system calls that a client needs. What it answers, texts included, was
// compared with Vault 1.21.0, and the contract test of internal/vault runs
// against both.
//
// It is no Vault: nothing is encrypted, and there are no leases, namespaces
// (their header is ignored, as Vault's community edition does), audit devices, or
// other engines.
package vaultd

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/bbsync/bbsync/sandbox/front"
)

// version is the Vault whose answers these are.
const version = "1.21.0"

// maxBody is Vault's default for requests.
const maxBody = 32 << 20

// Options say how a Server starts.
type Options struct {
	// RootToken may do everything; empty: a random one.
	RootToken string

	// Folder keeps what Save saved; empty: nothing is kept.
	Folder string

	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Server is the little Vault. It begins with a KV version 2 mount "secret" and
// with AppRole enabled at "approle".
type Server struct {
	// RootToken is the one of Options, or the one made up.
	RootToken string

	folder string
	now    func() time.Time

	mu     sync.Mutex
	sealed bool
	state  state
	parsed map[string][]rule // by a policy's text
}

// New starts a server, with what was saved in Options.Folder.
func New(opts Options) (*Server, error) {
	s := &Server{folder: opts.Folder, now: opts.Now, parsed: map[string][]rule{}}
	if s.now == nil {
		s.now = time.Now
	}
	s.state = emptyState()
	if err := s.load(); err != nil {
		return nil, err
	}
	s.RootToken = s.state.Root
	if opts.RootToken != "" {
		s.RootToken = opts.RootToken
	} else if s.RootToken == "" {
		s.RootToken = "hvs." + rand.Text()
	}
	delete(s.state.Tokens, s.state.Root)
	s.state.Root = s.RootToken
	s.state.Tokens[s.RootToken] = &token{Policies: []string{"root"}, Created: s.now(), Display: "token", Orphan: true}
	return s, nil
}

// Handler answers Vault's API.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Seal makes every request fail as a sealed Vault does, or ends that.
func (s *Server) Seal(sealed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = sealed
}

// A call is one request, taken apart.
type call struct {
	method string // GET, LIST, POST, PATCH, DELETE
	path   string // below /v1/
	query  map[string][]string
	body   map[string]json.RawMessage
	raw    *http.Request
	id     string // the token's
	token  *token
	route  string // for counting
}

// A reply is an answer. The zero reply is 204.
type reply struct {
	status   int
	data     any
	auth     any
	errors   []string
	warnings []string
	bare     any    // instead of the envelope
	mount    string // the type of the engine that answered
}

func ok(data any) reply { return reply{status: http.StatusOK, data: data} }

func fail(status int, texts ...string) reply {
	if texts == nil {
		texts = []string{}
	}
	return reply{status: status, errors: texts}
}

const (
	permissionDenied = "1 error occurred:\n\t* permission denied\n\n"
	invalidToken     = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"
	unsupportedPath  = "1 error occurred:\n\t* unsupported path\n\n"
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c, answer := parse(w, r)
	if answer == nil {
		s.mu.Lock()
		have := s.handle(c)
		s.mu.Unlock()
		answer = &have
	}
	front.Route(r, or(c.route, "/v1/"+c.path))
	answer.write(w)
}

func parse(w http.ResponseWriter, r *http.Request) (*call, *reply) {
	c := &call{method: r.Method, query: r.URL.Query(), raw: r, id: r.Header.Get("X-Vault-Token")}
	rest, below := strings.CutPrefix(r.URL.Path, "/v1/")
	if !below {
		have := fail(http.StatusNotFound)
		return c, &have
	}
	if c.id == "" {
		c.id, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	c.path = strings.TrimPrefix(path.Clean("/"+rest), "/")
	switch {
	case c.method == http.MethodPut:
		c.method = http.MethodPost
	case c.method == http.MethodGet && r.URL.Query().Get("list") == "true":
		c.method = "LIST"
	}
	if c.method != http.MethodPost && c.method != http.MethodPatch {
		return c, nil
	}
	if c.method == http.MethodPatch && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/merge-patch+json") {
		have := fail(http.StatusUnsupportedMediaType,
			"PATCH requires Content-Type of application/merge-patch+json, provided "+r.Header.Get("Content-Type"))
		return c, &have
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&c.body)
	if err != nil && err.Error() != "EOF" {
		have := fail(http.StatusBadRequest, "failed to parse JSON input: "+err.Error())
		return c, &have
	}
	return c, nil
}

func (s *Server) handle(c *call) reply {
	if answer, done := s.open(c); done {
		return answer
	}
	if s.sealed {
		return fail(http.StatusServiceUnavailable, "Vault is sealed")
	}
	if c.path == "auth/approle/login" {
		c.route = "/v1/auth/approle/login"
		return s.appRoleLogin(c)
	}
	if c.id == "" {
		return fail(http.StatusForbidden, "permission denied")
	}
	c.token = s.live(c.id)
	if c.token == nil {
		return fail(http.StatusForbidden, invalidToken)
	}
	switch {
	case strings.HasPrefix(c.path, "sys/"):
		return s.sys(c)
	case strings.HasPrefix(c.path, "auth/token/"):
		return s.auth(c)
	case strings.HasPrefix(c.path, "auth/approle/"):
		return s.appRole(c)
	}
	return s.kv(c)
}

// decode reads one field of the body, and leaves into as it is when it is missing.
func (c *call) decode(field string, into any) bool {
	raw, ok := c.body[field]
	return !ok || string(raw) == "null" || json.Unmarshal(raw, into) == nil
}

func (a *reply) write(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	switch {
	case a.status == 0 || a.status == http.StatusNoContent:
		w.WriteHeader(http.StatusNoContent)
		return
	case a.errors != nil:
		w.WriteHeader(a.status)
		encode(w, map[string][]string{"errors": a.errors})
		return
	case a.bare != nil:
		w.WriteHeader(a.status)
		encode(w, a.bare)
		return
	}
	w.WriteHeader(a.status)
	encode(w, struct {
		RequestID     string   `json:"request_id"`
		LeaseID       string   `json:"lease_id"`
		Renewable     bool     `json:"renewable"`
		LeaseDuration int      `json:"lease_duration"`
		Data          any      `json:"data"`
		WrapInfo      any      `json:"wrap_info"`
		Warnings      []string `json:"warnings"`
		Auth          any      `json:"auth"`
		MountType     string   `json:"mount_type"`
	}{RequestID: uuid(), Data: a.data, Warnings: a.warnings, Auth: a.auth, MountType: a.mount})
}

func encode(w http.ResponseWriter, v any) {
	_ = json.NewEncoder(w).Encode(v) // the client went away
}
