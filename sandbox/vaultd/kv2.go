package vaultd

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A versioned is one secret of KV version 2. Its metadata may be there before
// its first version.
type versioned struct {
	Versions    map[int]*entry    `json:"versions"`
	Current     int               `json:"current"`
	Oldest      int               `json:"oldest"`
	MaxVersions int               `json:"max_versions"`
	CASRequired bool              `json:"cas_required"`
	Custom      map[string]string `json:"custom_metadata"`
	Created     time.Time         `json:"created"`
	Updated     time.Time         `json:"updated"`
}

// An entry is one version.
type entry struct {
	Data      map[string]json.RawMessage `json:"data"`
	Created   time.Time                  `json:"created"`
	Deleted   time.Time                  `json:"deleted"`
	Destroyed bool                       `json:"destroyed"`
}

const (
	casMismatch = "check-and-set parameter did not match the current version"
	casRequired = "check-and-set parameter required for this call"
	notKV2      = "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. " +
		"If using the Vault CLI, use 'vault kv get' for this operation."
)

func (s *Server) kv2(c *call, m *mount, kind, path string) reply {
	have := m.Secrets[path]
	exists := have != nil && have.Current > 0
	if kind == "destroy" || kind == "undelete" || kind == "delete" || kind == "config" {
		exists = true // these are updates always
	}
	if !s.allowed(c, exists) {
		return fail(http.StatusForbidden, permissionDenied)
	}
	switch {
	case kind == "config" && path == "":
		return m.config(c)
	case kind == "metadata" && c.method == "LIST":
		names := make([]string, 0, len(m.Secrets))
		for name := range m.Secrets {
			names = append(names, name)
		}
		return list(names, path)
	case path == "":
	case kind == "data":
		return s.data(c, m, path, have)
	case kind == "metadata":
		return s.metadata(c, m, path, have)
	case (kind == "delete" || kind == "undelete" || kind == "destroy") && c.method == http.MethodPost:
		return s.change(c, kind, have)
	}
	return reply{status: http.StatusNotFound, warnings: []string{notKV2}}
}

func (m *mount) config(c *call) reply {
	switch c.method {
	case http.MethodGet:
		return ok(map[string]any{"cas_required": m.CASRequired, "delete_version_after": "0s", "max_versions": m.MaxVersions})
	case http.MethodPost:
		if !c.decode("cas_required", &m.CASRequired) || !c.decode("max_versions", &m.MaxVersions) {
			return fail(http.StatusBadRequest, "error decoding the request")
		}
		return reply{}
	}
	return fail(http.StatusMethodNotAllowed, unsupportedPath)
}

func (s *Server) data(c *call, m *mount, path string, have *versioned) reply {
	switch c.method {
	case http.MethodGet:
		return have.read(c)
	case http.MethodPost:
		return s.put(c, m, path, have)
	case http.MethodPatch:
		return s.patch(c, m, path, have)
	case http.MethodDelete:
		if have != nil && have.Versions[have.Current] != nil {
			have.Versions[have.Current].delete(s.now())
		}
		return reply{}
	}
	return fail(http.StatusMethodNotAllowed, unsupportedPath)
}

func (v *versioned) read(c *call) reply {
	if v == nil || v.Current == 0 {
		return fail(http.StatusNotFound)
	}
	n := v.Current
	if text := c.query["version"]; len(text) > 0 && text[0] != "0" {
		var err error
		if n, err = strconv.Atoi(text[0]); err != nil {
			return fail(http.StatusBadRequest, "error converting input for field \"version\"")
		}
	}
	e := v.Versions[n]
	if e == nil {
		return fail(http.StatusNotFound)
	}
	data := map[string]any{"data": e.Data, "metadata": v.about(n)}
	if e.Destroyed || !e.Deleted.IsZero() {
		data["data"] = nil
		return reply{status: http.StatusNotFound, data: data}
	}
	return ok(data)
}

func (v *versioned) about(n int) map[string]any {
	e := v.Versions[n]
	return map[string]any{
		"created_time": stamp(e.Created), "custom_metadata": v.Custom, "deletion_time": stamp(e.Deleted),
		"destroyed": e.Destroyed, "version": n,
	}
}

func (e *entry) delete(now time.Time) {
	if !e.Destroyed && e.Deleted.IsZero() {
		e.Deleted = now
	}
}

// checked holds the write's expectation against what is there.
func (m *mount) checked(c *call, have *versioned) (reply, bool) {
	var options struct {
		CAS json.RawMessage `json:"cas"`
	}
	if !c.decode("options", &options) {
		return fail(http.StatusBadRequest, "error parsing options"), false
	}
	current, required := 0, m.CASRequired
	if have != nil {
		current, required = have.Current, required || have.CASRequired
	}
	if options.CAS == nil {
		if required {
			return fail(http.StatusBadRequest, casRequired), false
		}
		return reply{}, true
	}
	want, err := strconv.Atoi(strings.Trim(string(options.CAS), `"`))
	if err != nil {
		return fail(http.StatusBadRequest, "error parsing check-and-set parameter"), false
	}
	if want != current {
		return fail(http.StatusBadRequest, casMismatch), false
	}
	return reply{}, true
}

func (s *Server) put(c *call, m *mount, path string, have *versioned) reply {
	if _, there := c.body["data"]; !there {
		return fail(http.StatusBadRequest, "no data provided")
	}
	var data map[string]json.RawMessage
	if !c.decode("data", &data) {
		return fail(http.StatusBadRequest, "error converting input for field \"data\": '' expected a map")
	}
	if answer, fits := m.checked(c, have); !fits {
		return answer
	}
	if data == nil {
		data = map[string]json.RawMessage{}
	}
	v := m.add(path, data, s.now())
	return ok(v.about(v.Current))
}

// patch merges: null removes a field.
func (s *Server) patch(c *call, m *mount, path string, have *versioned) reply {
	if have == nil || have.Versions[have.Current] == nil || have.Versions[have.Current].Data == nil || !have.Versions[have.Current].Deleted.IsZero() {
		return fail(http.StatusNotFound)
	}
	var change map[string]json.RawMessage
	if _, there := c.body["data"]; !there || !c.decode("data", &change) {
		return fail(http.StatusBadRequest, "no data provided")
	}
	if answer, fits := m.checked(c, have); !fits {
		return answer
	}
	data := maps.Clone(have.Versions[have.Current].Data)
	for key, value := range change {
		if string(value) == "null" {
			delete(data, key)
		} else {
			data[key] = value
		}
	}
	v := m.add(path, data, s.now())
	return ok(v.about(v.Current))
}

// add writes the next version, and forgets those that are too many.
func (m *mount) add(path string, data map[string]json.RawMessage, now time.Time) *versioned {
	v := m.Secrets[path]
	if v == nil {
		v = newVersioned(now)
		m.Secrets[path] = v
	}
	v.Current++
	v.Updated = now
	v.Versions[v.Current] = &entry{Data: data, Created: now}
	keep := maxVersions
	if m.MaxVersions > 0 {
		keep = m.MaxVersions
	}
	if v.MaxVersions > 0 {
		keep = v.MaxVersions
	}
	for n := range v.Versions {
		if n <= v.Current-keep {
			delete(v.Versions, n)
			v.Oldest = v.Current - keep + 1
		}
	}
	return v
}

func newVersioned(now time.Time) *versioned {
	return &versioned{Versions: map[int]*entry{}, Created: now, Updated: now}
}

func (s *Server) metadata(c *call, m *mount, path string, have *versioned) reply {
	switch c.method {
	case http.MethodGet:
		if have == nil {
			return fail(http.StatusNotFound)
		}
		return ok(have.describe())
	case http.MethodPost:
		if have == nil {
			have = newVersioned(s.now())
			m.Secrets[path] = have
		}
		// What is left out is set back, as Vault does with this call.
		custom, most, required := have.Custom, have.MaxVersions, have.CASRequired
		if !c.decode("custom_metadata", &custom) || !c.decode("max_versions", &most) || !c.decode("cas_required", &required) {
			return fail(http.StatusBadRequest, "error decoding the request")
		}
		have.Custom, have.MaxVersions, have.CASRequired = custom, most, required
		return reply{}
	case http.MethodDelete:
		delete(m.Secrets, path)
		return reply{}
	}
	return fail(http.StatusMethodNotAllowed, unsupportedPath)
}

func (v *versioned) describe() any {
	versions := map[string]any{}
	for n, e := range v.Versions {
		versions[strconv.Itoa(n)] = map[string]any{
			"created_time": stamp(e.Created), "deletion_time": stamp(e.Deleted), "destroyed": e.Destroyed,
		}
	}
	return map[string]any{
		"cas_required": v.CASRequired, "created_time": stamp(v.Created), "current_version": v.Current, "custom_metadata": v.Custom,
		"delete_version_after": "0s", "max_versions": v.MaxVersions, "oldest_version": v.Oldest, "updated_time": stamp(v.Updated),
		"versions": versions,
	}
}

// change deletes, undeletes or destroys the versions that the body names. Those
// that are not there are passed over.
func (s *Server) change(c *call, kind string, have *versioned) reply {
	var numbers []int
	if !c.decode("versions", &numbers) || len(numbers) == 0 {
		return fail(http.StatusBadRequest, "no version number provided")
	}
	if have == nil {
		return reply{}
	}
	for _, n := range numbers {
		e := have.Versions[n]
		switch {
		case e == nil:
		case kind == "delete":
			e.delete(s.now())
		case kind == "undelete" && !e.Destroyed:
			e.Deleted = time.Time{}
		case kind == "destroy":
			e.Data, e.Destroyed = nil, true
		}
	}
	return reply{}
}
