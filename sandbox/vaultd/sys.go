package vaultd

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// open answers what needs no token, and works on a sealed Vault, too.
func (s *Server) open(c *call) (reply, bool) {
	switch c.path {
	case "sys/health":
		c.route = "/v1/sys/health"
		return s.health(c), true
	case "sys/seal-status":
		c.route = "/v1/sys/seal-status"
		return reply{status: http.StatusOK, bare: map[string]any{
			"type": "shamir", "initialized": true, "sealed": s.sealed, "t": 1, "n": 1, "progress": 0, "nonce": "", "version": version,
			"migration": false, "cluster_name": "bbsync-sandbox", "recovery_seal": false, "storage_type": "inmem",
		}}, true
	case "sys/unseal":
		c.route = "/v1/sys/unseal"
		s.sealed = false // any key opens the sandbox's
		return reply{status: http.StatusOK, bare: map[string]any{"sealed": false, "t": 1, "n": 1, "progress": 0}}, true
	}
	return reply{}, false
}

func (s *Server) health(c *call) reply {
	status := http.StatusOK
	if s.sealed {
		status = http.StatusServiceUnavailable
		if code := c.query["sealedcode"]; code != nil { // what the client wants to be told
			if n, err := strconv.Atoi(code[0]); err == nil && n >= 200 && n < 600 {
				status = n
			}
		}
	}
	return reply{status: status, bare: map[string]any{
		"initialized": true, "sealed": s.sealed, "standby": s.sealed, "performance_standby": false,
		"replication_performance_mode": "disabled", "replication_dr_mode": "disabled", "server_time_utc": s.now().Unix(),
		"version": version, "enterprise": false, "cluster_name": "bbsync-sandbox", "echo_duration_ms": 0, "clock_skew_ms": 0,
	}}
}

// sys answers sys/.
func (s *Server) sys(c *call) reply {
	what := strings.TrimPrefix(c.path, "sys/")
	if path, ok := strings.CutPrefix(what, "internal/ui/mounts/"); ok && c.method == http.MethodGet {
		c.route = "/v1/sys/internal/ui/mounts/{path}"
		return s.uiMount(c, path)
	}
	needs := map[string]string{http.MethodGet: "read", "LIST": "list", http.MethodPost: "update", http.MethodDelete: "delete"}[c.method]
	if !s.may(c.token, c.path, needs, "sudo") {
		return fail(http.StatusForbidden, permissionDenied)
	}
	for _, prefix := range []string{"policies/acl/", "policy/"} {
		if name, ok := strings.CutPrefix(what, prefix); ok {
			c.route = "/v1/sys/" + prefix + "{name}"
			return s.policy(c, name)
		}
	}
	if path, ok := strings.CutPrefix(what, "mounts/"); ok {
		c.route = "/v1/sys/mounts/{path}"
		return s.mountCall(c, path)
	}
	c.route = "/v1/" + c.path
	switch {
	case what == "mounts" && c.method == http.MethodGet:
		all := map[string]any{}
		for path, m := range s.state.Mounts {
			all[path+"/"] = m.describe(path)
		}
		return ok(all)
	case what == "seal" && c.method == http.MethodPost:
		s.sealed = true
		return reply{}
	case what == "capabilities-self" && c.method == http.MethodPost:
		return s.capabilities(c)
	}
	return fail(http.StatusNotFound, unsupportedPath)
}

// uiMount tells which mount a path is in, to whom may do anything there.
func (s *Server) uiMount(c *call, path string) reply {
	name, m := s.mountOf(path)
	if m == nil || !s.sees(c.token, name) {
		return fail(http.StatusForbidden,
			`preflight capability check returned 403, please ensure client's policies grant access to path "`+path+`/"`)
	}
	return ok(m.describe(name))
}

func (m *mount) describe(path string) map[string]any {
	return map[string]any{
		"accessor": "kv_" + path, "config": map[string]any{"default_lease_ttl": 2764800, "force_no_cache": false, "max_lease_ttl": 2764800},
		"deprecation_status": "supported", "description": "", "local": false, "options": map[string]string{"version": m.versionText()},
		"path": path + "/", "type": "kv", "uuid": uuid(),
	}
}

func (s *Server) policy(c *call, name string) reply {
	text, there := s.state.Policies[name]
	switch c.method {
	case http.MethodGet:
		if !there {
			return fail(http.StatusNotFound)
		}
		return ok(map[string]string{"name": name, "policy": text})
	case http.MethodPost:
		var want string
		if !c.decode("policy", &want) || name == "root" {
			return fail(http.StatusBadRequest, "'policy' parameter not supplied or empty")
		}
		if _, err := parsePolicy(want); err != nil {
			return fail(http.StatusBadRequest, err.Error())
		}
		s.state.Policies[name] = want
		return reply{}
	case http.MethodDelete:
		delete(s.state.Policies, name)
		return reply{}
	}
	return fail(http.StatusMethodNotAllowed)
}

func (s *Server) mountCall(c *call, path string) reply {
	switch c.method {
	case http.MethodPost:
		var kind string
		var options map[string]string
		if !c.decode("type", &kind) || !c.decode("options", &options) {
			return fail(http.StatusBadRequest, "error decoding the request")
		}
		if kind != "kv" && kind != "kv-v2" {
			return fail(http.StatusBadRequest, `plugin not found in the catalog: `+kind)
		}
		if name, there := s.mountOf(path); there != nil {
			return fail(http.StatusBadRequest, "path is already in use at "+name+"/")
		}
		n := 1
		if kind == "kv-v2" || options["version"] == "2" {
			n = 2
		}
		s.state.Mounts[path] = newMount(n)
		return reply{}
	case http.MethodDelete:
		delete(s.state.Mounts, path)
		return reply{}
	}
	return fail(http.StatusMethodNotAllowed)
}

func (s *Server) capabilities(c *call) reply {
	var paths []string
	var path string
	if !c.decode("paths", &paths) || !c.decode("path", &path) {
		return fail(http.StatusBadRequest, "error decoding the request")
	}
	if path != "" {
		paths = append(paths, path)
	}
	data := map[string]any{}
	for _, path := range paths {
		var have []string
		for _, capability := range []string{"create", "delete", "list", "patch", "read", "sudo", "update"} {
			if s.may(c.token, path, capability) {
				have = append(have, capability)
			}
		}
		switch {
		case slices.Contains(c.token.Policies, "root"):
			have = []string{"root"}
		case have == nil:
			have = []string{"deny"}
		}
		data[path] = have
		if len(paths) == 1 {
			data["capabilities"] = have
		}
	}
	return ok(data)
}
