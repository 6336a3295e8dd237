package vault

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
)

// A mount is a secrets engine, as far as it concerns us.
type mount struct {
	path    string // without slashes at the ends
	version int    // of KV: 1 or 2; 0: it is not KV
	kind    string // as Vault names the engine
}

// mounts remembers those that were asked about.
type mounts struct {
	mu    sync.Mutex
	known []mount
}

func (m *mounts) of(path string) (mount, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.known {
		if strings.HasPrefix(path+"/", k.path+"/") {
			return k, true
		}
	}
	return mount{}, false
}

func (m *mounts) add(k mount) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = append(m.known, k)
}

// mountOf finds the mount that path is in. The request is the one that the vault
// command makes; any token that may do anything in the mount may make it.
func (c *Client) mountOf(ctx context.Context, path string) (mount, error) {
	if k, ok := c.mounts.of(path); ok {
		return k, nil
	}
	req := request{op: "looking for the mount of", path: "sys/internal/ui/mounts/" + path, needs: `"read"`}
	data, have, err := fetch[struct {
		Path    string            `json:"path"`
		Type    string            `json:"type"`
		Options map[string]string `json:"options"`
	}](ctx, c, req)
	switch {
	case err != nil:
		return mount{}, err
	case have.status != http.StatusOK || data == nil:
		return mount{}, &Error{Op: req.op, Path: path, Status: have.status, Texts: have.errors, Kind: ErrNoMount}
	}
	k := mount{path: strings.Trim(data.Path, "/"), kind: data.Type}
	if data.Type == "kv" || data.Type == "generic" {
		k.version = 1
		if data.Options["version"] == "2" {
			k.version = 2
		}
	}
	c.mounts.add(k)
	return k, nil
}

// checkMount makes sure that the records' mount is there and is KV version 2.
func (c *Client) checkMount(ctx context.Context) error {
	k, err := c.mountOf(ctx, c.cfg.Mount)
	if errors.Is(err, ErrForbidden) || errors.Is(err, ErrNoMount) {
		return c.probeMount(ctx, err)
	}
	if err != nil {
		return err
	}
	if k.path != c.cfg.Mount {
		return &Error{
			Op: "using mount", Path: c.cfg.Mount, Kind: ErrNoMount,
			Hint: "it is a path inside of mount " + clean(k.path) + ": write mount = \"" + clean(k.path) + "\" and the rest into path",
		}
	}
	switch k.version {
	case 0:
		return &Error{Op: "using mount", Path: c.cfg.Mount, Kind: ErrNotVersioned, Hint: "it is of type " + clean(k.kind) + "; a KV version 2 mount is needed"}
	case 1:
		return c.notVersioned()
	}
	return nil
}

func (c *Client) notVersioned() error {
	return &Error{
		Op: "using mount", Path: c.cfg.Mount, Kind: ErrNotVersioned,
		Hint: "version 1 ignores check-and-set in silence; vault kv enable-versioning " + c.cfg.Mount + ", or another mount",
	}
}

// probeMount finds out by reading what the server would not tell of its mounts:
// something between us and it may block sys/, or the token may see nothing of
// the mount. asked is what was answered there.
func (c *Client) probeMount(ctx context.Context, asked error) error {
	const absent = "bbsync-probe"
	data, err := c.do(ctx, request{op: "reading", path: c.dataPath(absent), needs: `"create", "read", "update"`})
	if err != nil {
		return err
	}
	if data.status == http.StatusNotFound && len(data.errors) > 0 {
		return &Error{
			Op: "using mount", Path: c.cfg.Mount, Status: data.status, Texts: data.errors, Kind: ErrNoMount,
			Hint: "vault secrets enable -path=" + c.cfg.Mount + " -version=2 kv",
		}
	}
	// Version 1 answers the same for an absent "data/…". Only version 2 warns
	// about paths without "data/".
	plain, err := c.do(ctx, request{op: "reading", path: c.cfg.Mount + "/" + c.cfg.Path + "/" + absent, needs: `"read"`})
	if err == nil && mentions(plain.warnings, "versioned K/V") {
		c.mounts.add(mount{path: c.cfg.Mount, version: 2})
		return nil
	}
	return asked
}
