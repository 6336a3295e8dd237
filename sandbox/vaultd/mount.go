package vaultd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxVersions is how many versions KV version 2 keeps unless told otherwise.
const maxVersions = 10

// A mount is a KV engine.
type mount struct {
	Version     int                                   `json:"version"`
	MaxVersions int                                   `json:"max_versions"`
	CASRequired bool                                  `json:"cas_required"`
	Secrets     map[string]*versioned                 `json:"secrets,omitempty"` // of version 2
	Plain       map[string]map[string]json.RawMessage `json:"plain,omitempty"`   // of version 1
}

func newMount(version int) *mount {
	return &mount{Version: version, Secrets: map[string]*versioned{}, Plain: map[string]map[string]json.RawMessage{}}
}

func (m *mount) versionText() string { return strconv.Itoa(m.Version) }

// Mount adds a KV mount of version 1 or 2.
func (s *Server) Mount(path string, version int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Mounts[strings.Trim(path, "/")] = newMount(version)
}

// PutSecret writes a secret without any check; path begins with the mount.
func (s *Server) PutSecret(path string, fields map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, m := s.mountOf(path)
	if m == nil || name == path {
		return fmt.Errorf("the sandbox's Vault has no mount for %q", path)
	}
	data := map[string]json.RawMessage{}
	for key, value := range fields {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("writing %q: %w", path, err)
		}
		data[key] = text
	}
	below := strings.TrimPrefix(path, name+"/")
	if m.Version == 1 {
		m.Plain[below] = data
		return nil
	}
	m.add(below, data, s.now())
	return nil
}

// mountOf returns the mount that a path is in, and its path; nil if there is none.
func (s *Server) mountOf(path string) (string, *mount) {
	for name := strings.Trim(path, "/"); ; {
		if m := s.state.Mounts[name]; m != nil {
			return name, m
		}
		i := strings.LastIndex(name, "/")
		if i < 0 {
			return "", nil
		}
		name = name[:i]
	}
}

// kv answers what is in a KV mount.
func (s *Server) kv(c *call) reply {
	name, m := s.mountOf(c.path)
	if m == nil {
		if !slices.Contains(c.token.Policies, "root") && !s.may(c.token, c.path, "create", "read", "update", "list", "delete", "patch") {
			return fail(http.StatusForbidden, permissionDenied)
		}
		return fail(http.StatusNotFound, fmt.Sprintf("no handler for route %q. route entry not found.", c.path))
	}
	below := strings.TrimPrefix(strings.TrimPrefix(c.path, name), "/")
	if m.Version == 1 {
		c.route = "/v1/{mount}/{path}"
		return s.kv1(c, m, below)
	}
	kind, path, _ := strings.Cut(below, "/")
	c.route = "/v1/{mount}/" + kind + "/{path}"
	have := s.kv2(c, m, kind, path)
	if have.status == http.StatusOK {
		have.mount = "kv"
	}
	return have
}

// allowed checks the capability that the operation needs.
func (s *Server) allowed(c *call, exists bool) bool {
	needs := ""
	switch c.method {
	case http.MethodGet:
		needs = "read"
	case "LIST":
		// A list is judged by the folder's path with and without its slash.
		return s.may(c.token, c.path+"/", "list") || s.may(c.token, c.path, "list")
	case http.MethodPatch:
		needs = "patch"
	case http.MethodDelete:
		needs = "delete"
	case http.MethodPost:
		needs = "update"
		if !exists {
			needs = "create"
		}
	}
	return s.may(c.token, c.path, needs)
}

func (s *Server) kv1(c *call, m *mount, path string) reply {
	have, exists := m.Plain[path]
	if !s.allowed(c, exists) {
		return fail(http.StatusForbidden, permissionDenied)
	}
	switch c.method {
	case http.MethodGet:
		if !exists {
			return fail(http.StatusNotFound)
		}
		return reply{status: http.StatusOK, data: have, mount: "kv"}
	case "LIST":
		names := make([]string, 0, len(m.Plain))
		for name := range m.Plain {
			names = append(names, name)
		}
		return list(names, path)
	case http.MethodPost:
		if c.body == nil {
			return fail(http.StatusBadRequest, "missing data fields")
		}
		m.Plain[path] = c.body // options and all: version 1 knows no check-and-set
		return reply{}
	case http.MethodDelete:
		delete(m.Plain, path)
		return reply{}
	}
	return fail(http.StatusMethodNotAllowed, unsupportedPath)
}

// list names what is directly below a folder; folders end in a slash.
func list(paths []string, folder string) reply {
	if folder != "" {
		folder += "/"
	}
	var keys []string
	for _, path := range paths {
		rest, ok := strings.CutPrefix(path, folder)
		if !ok || rest == "" {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); deeper {
			rest = name + "/"
		}
		keys = append(keys, rest)
	}
	if keys == nil {
		return fail(http.StatusNotFound)
	}
	slices.Sort(keys)
	return reply{status: http.StatusOK, data: map[string]any{"keys": slices.Compact(keys)}, mount: "kv"}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
