package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/httpx"
)

// What Bitbucket before 5.4 needs in order to call Terraform: the plugin "Web
// Post Hooks for Bitbucket Server", and its hook in each repository.
const (
	WebhookPluginKey = "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin"
	WebhookHookKey   = WebhookPluginKey + ":postReceiveHook"
)

// A Plugin is an installed one.
type Plugin struct {
	Key     string
	Name    string
	Version string
	Enabled bool
}

const (
	pluginsPath   = "/rest/plugins/1.0/"
	pluginMedia   = "application/vnd.atl.plugins.plugin+json"
	installMedia  = "application/vnd.atl.plugins.install.uri+json"
	installedType = "application/vnd.atl.plugins.installed+json"
)

// Plugin reads an installed plugin. ErrNotFound: not installed.
func (c *Client) Plugin(ctx context.Context, key string) (Plugin, error) {
	plugin, _, err := c.pluginDocument(ctx, key)
	return plugin, err
}

func (c *Client) pluginDocument(ctx context.Context, key string) (p Plugin, document map[string]json.RawMessage, err error) {
	q := call{op: "reading the plugin", object: quote(key), path: pluginPath(key), query: basicAuth(), media: pluginMedia}
	err = c.do(ctx, q, func(a answer) (err error) {
		p, document, err = readPlugin(a)
		return err
	})
	if e, ok := forgotten(err); ok {
		err = e.as(ErrNotFound, "")
	}
	return p, document, err
}

func readPlugin(a answer) (p Plugin, document map[string]json.RawMessage, err error) {
	if err := decode(&document)(a); err != nil {
		return Plugin{}, nil, err
	}
	if err := decode(&p)(a); err != nil {
		return Plugin{}, nil, err
	}
	if p.Key == "" || document["enabled"] == nil {
		return Plugin{}, nil, errors.New("not a plugin")
	}
	return p, document, nil
}

// forgotten reports whether the plugin manager does not have what was asked for.
// What it answers besides 404 is not documented; only a page is not its own.
func forgotten(err error) (*Error, bool) {
	e, ok := errors.AsType[*Error](err)
	return e, ok && e.Status == http.StatusNotFound && !e.page
}

// authType is the query parameter that makes old plugin managers look at the
// Authorization header.
const authType = "os_authType"

func basicAuth() url.Values { return url.Values{authType: {"basic"}} }

func pluginPath(key string) string { return pluginsPath + segment(key) + "-key" }

// EnablePlugin enables an installed plugin. ErrNotFound: not installed.
func (c *Client) EnablePlugin(ctx context.Context, key string) error {
	p, document, err := c.pluginDocument(ctx, key)
	if err != nil || p.Enabled {
		return err
	}
	document["enabled"] = json.RawMessage("true") // the manager wants the whole document back
	q := call{
		op: "enabling the plugin", object: quote(key), method: http.MethodPut, path: pluginPath(key), query: basicAuth(),
		body: encode(document), media: pluginMedia, idempotent: true,
	}
	return settle(c.do(ctx, q, enabledPlugin), func() (bool, error) {
		p, err := c.Plugin(ctx, key)
		return p.Enabled, err
	})
}

// InstallPlugin has Bitbucket fetch and install a plugin from an address, and
// waits for that to end. That the plugin is there afterwards, Plugin tells.
func (c *Client) InstallPlugin(ctx context.Context, uri string) error {
	token, err := c.upmToken(ctx)
	if err != nil {
		return err
	}
	q := call{
		op: "installing the plugin from", object: quote(uri), method: http.MethodPost, path: pluginsPath,
		query: url.Values{"token": {token}, authType: {"basic"}}, media: installMedia, accept: "application/json",
		body: encode(struct {
			PluginURI  string `json:"pluginUri"`
			PluginName string `json:"pluginName"`
		}{uri, ""}),
	}
	var t task
	if err := c.do(ctx, q, func(a answer) error { return t.read(a) }); err != nil {
		return err
	}
	return c.follow(ctx, q, t)
}

// upmToken is what the plugin manager wants back with every installation.
func (c *Client) upmToken(ctx context.Context) (string, error) {
	var token string
	q := call{
		op: "asking the plugin manager of", object: c.URL() + " for a token", path: pluginsPath,
		query: basicAuth(), media: installedType,
	}
	err := c.do(ctx, q, func(a answer) error {
		if token = a.header.Get("Upm-Token"); token == "" {
			return errors.New("no upm-token in it")
		}
		return nil
	})
	return token, err
}

// A task is the plugin manager's account of an installation under way. When it
// has ended, its address answers with the plugin, or points to it.
type task struct {
	self   string // path below the base URL
	ended  bool
	failed string // why, escaped
}

func (t *task) read(a answer) error {
	if a.status == http.StatusSeeOther {
		t.ended = true
		return nil
	}
	var wire struct {
		Enabled *bool // a plugin, not a task
		Links   struct{ Self string }
		Status  struct {
			Done                               bool
			ContentType, SubCode, ErrorMessage string
		}
	}
	if err := decode(&wire)(a); err != nil {
		return err
	}
	if wire.Enabled != nil {
		t.ended = true
		return nil
	}
	if wire.Links.Self != "" {
		t.self = wire.Links.Self
	} else if location := a.header.Get("Location"); t.self == "" {
		t.self = location
	}
	t.ended = wire.Status.Done
	if wire.Status.SubCode != "" || wire.Status.ErrorMessage != "" || strings.Contains(wire.Status.ContentType, ".err+json") {
		t.ended, t.failed = true, escape(strings.TrimSpace(wire.Status.SubCode+" "+wire.Status.ErrorMessage))
		if t.failed == "" {
			t.failed = "the plugin manager does not say why"
		}
	}
	return nil
}

// installPatience bounds how long an installation is waited for.
const installPatience = 5 * time.Minute

func (c *Client) follow(ctx context.Context, q call, t task) error {
	ctx, cancel := context.WithTimeout(ctx, installPatience)
	defer cancel()
	for wait := c.backoff; !t.ended; wait = min(2*wait, 5*time.Second) {
		path, err := c.below(t.self)
		if err != nil {
			return c.broken(q, answer{}, err)
		}
		if err := httpx.Sleep(ctx, wait); err != nil {
			return c.cut(q, err, true)
		}
		poll := call{op: q.op, object: q.object, path: path, query: basicAuth(), succeed: []int{http.StatusOK, http.StatusAccepted, http.StatusSeeOther}}
		err = c.do(ctx, poll, func(a answer) error { return t.read(a) })
		if _, ok := forgotten(err); ok { // tasks are, once they have ended
			return nil
		}
		if err != nil {
			return err
		}
	}
	if t.failed != "" {
		e := c.fault(q)
		e.Messages = []string{t.failed}
		e.Advice = "check that Bitbucket itself can reach the address, and that the file is a plugin for this version"
		return e
	}
	return nil
}

// below returns the path below the base URL of an address that the server gave.
// Only addresses of the server itself are followed: they are sent the account.
func (c *Client) below(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return "", errors.New("no address to follow the installation at")
	}
	if u.Host != "" && !strings.EqualFold(u.Host, c.base.Host) {
		return "", errors.New("an address on another host: " + place(address))
	}
	path, ok := strings.CutPrefix(u.EscapedPath(), c.base.EscapedPath()+"/")
	if !ok {
		return "", errors.New("an address outside of the base URL: " + place(address))
	}
	return "/" + path, nil
}

// place shows where a Location points, without its query.
func place(location string) string {
	if i := strings.IndexAny(location, "?#"); i >= 0 {
		location = location[:i]
	}
	if location == "" {
		return "nowhere"
	}
	return escape(location)
}
