package bitbucketd

import (
	"net/http"
	"strings"
)

// The plugin manager. Its resources are the same in all versions; only a Bitbucket
// before 5.4 needs a plugin.

type pluginBody struct {
	Key              string       `json:"key"`
	Enabled          bool         `json:"enabled"`
	EnabledByDefault bool         `json:"enabledByDefault"`
	Version          string       `json:"version"`
	Description      string       `json:"description"`
	Name             string       `json:"name"`
	Modules          []string     `json:"modules"`
	UserInstalled    bool         `json:"userInstalled"`
	Optional         bool         `json:"optional"`
	Vendor           pluginVendor `json:"vendor"`
	Links            pluginLinks  `json:"links"`
}

type pluginVendor struct {
	Name            string `json:"name"`
	Link            string `json:"link"`
	MarketplaceLink string `json:"marketplaceLink"`
}

type pluginLinks struct {
	Self   string `json:"self"`
	Modify string `json:"modify"`
}

func (c *call) pluginBody(p *Plugin) pluginBody {
	self := c.base.Path + "/rest/plugins/1.0/" + p.Key + "-key"
	return pluginBody{
		Key: p.Key, Enabled: p.Enabled, EnabledByDefault: true, Version: p.Version, Name: p.Name, UserInstalled: true,
		Optional: true, Modules: []string{}, Vendor: pluginVendor{Name: "Atlassian", Link: "https://www.atlassian.com/"},
		Links: pluginLinks{Self: self, Modify: self},
	}
}

const (
	pluginMedia  = "application/vnd.atl.plugins.plugin+json"
	installMedia = "application/vnd.atl.plugins.install.uri+json"
)

// pluginAdmin lets administrators in. On an old plugin manager Basic credentials count
// only when the query says so. WebSudo is refused in the manager's own words.
func (c *call) pluginAdmin() error {
	if c.global(Admin) == nil && c.webSudo() != nil {
		return &refusal{reply{status: http.StatusUnauthorized, body: map[string]string{"subCode": "upm.websudo.error"}}}
	}
	if c.global(Admin) != nil || c.who.by == byBasic && !c.version.hasWebhooks() && c.query("os_authType") != "basic" {
		return refuseStatus(http.StatusUnauthorized, "Client must be authenticated as an administrator to access this resource.")
	}
	return nil
}

// task is an installation under way. It is done when it was asked for twice.
type task struct {
	plugin *Plugin // nil: the artefact cannot be fetched
	asked  int
}

type taskBody struct {
	Type      string     `json:"type"`
	PingAfter int        `json:"pingAfter"`
	Status    taskStatus `json:"status"`
	Links     taskLinks  `json:"links"`
	Timestamp int64      `json:"timestamp"`
}

type taskStatus struct {
	Done        bool   `json:"done"`
	StatusCode  int    `json:"statusCode"`
	ContentType string `json:"contentType"`
	SubCode     string `json:"subCode,omitempty"`
	Source      string `json:"source,omitempty"`
}

type taskLinks struct {
	Self string `json:"self"`
}

func listPlugins(c *call) (reply, error) {
	if err := c.pluginAdmin(); err != nil {
		return reply{}, err
	}
	list := []pluginBody{}
	for _, p := range c.st.Plugins {
		list = append(list, c.pluginBody(p))
	}
	return reply{header: http.Header{"Upm-Token": {c.upmToken()}}, body: map[string][]pluginBody{"plugins": list}}, nil
}

// upmToken guards installations. It is the caller's, and changes with its password.
func (c *call) upmToken() string {
	u := c.who.user
	return digest("upm"+u.Salt, u.Name)[:20]
}

func (c *call) plugin() (*Plugin, error) {
	if err := c.pluginAdmin(); err != nil {
		return nil, err
	}
	key, ok := strings.CutSuffix(c.r.PathValue("key"), "-key")
	if p := c.st.Plugins[key]; ok && p != nil {
		return p, nil
	}
	return nil, &refusal{reply{status: http.StatusNotFound}}
}

func getPlugin(c *call) (reply, error) {
	p, err := c.plugin()
	if err != nil {
		return reply{}, err
	}
	return reply{body: c.pluginBody(p)}, nil
}

// putPlugin enables or disables: of the document that is sent back, only that counts.
// Doubt: one client sends {"enabled":…} alone, so fields may be missing.
func putPlugin(c *call) (reply, error) {
	p, err := c.plugin()
	if err != nil {
		return reply{}, err
	}
	if c.r.Header.Get("Content-Type") != pluginMedia {
		return reply{}, &refusal{reply{status: http.StatusUnsupportedMediaType}}
	}
	var in struct {
		pluginBody
		Enabled *bool `json:"enabled"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	if in.Key != "" && in.Key != p.Key || in.Enabled == nil {
		return reply{}, refuseStatus(http.StatusBadRequest, "The plugin's representation does not fit.")
	}
	p.Enabled = *in.Enabled
	c.wrote("plugin %s enabled: %t", p.Key, p.Enabled)
	return reply{body: c.pluginBody(p)}, nil
}

// installPlugin begins to install the artefact at an address. Nothing is fetched:
// State.Artefacts says what lies where.
func installPlugin(c *call) (reply, error) {
	if err := c.pluginAdmin(); err != nil {
		return reply{}, err
	}
	if c.query("token") != c.upmToken() {
		return reply{}, refuseStatus(http.StatusForbidden, "The token is missing or wrong.")
	}
	if c.r.Header.Get("Content-Type") != installMedia {
		return reply{}, &refusal{reply{status: http.StatusUnsupportedMediaType}}
	}
	var in struct {
		URI  string `json:"pluginUri"`
		Name string `json:"pluginName"`
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	id, t := random(8), &task{}
	if p, ok := c.st.Artefacts[in.URI]; ok {
		t.plugin = &p
	}
	c.tasks[id] = t
	body := c.taskBody(id, taskStatus{StatusCode: http.StatusOK, ContentType: "application/vnd.atl.plugins.install.downloading+json", Source: in.URI})
	return reply{status: http.StatusAccepted, body: body, header: http.Header{"Location": {body.Links.Self}}}, nil
}

func (c *call) taskBody(id string, status taskStatus) taskBody {
	return taskBody{
		Type: "INSTALL", PingAfter: 100, Status: status, Timestamp: c.now().UnixMilli(),
		Links: taskLinks{Self: c.base.Path + "/rest/plugins/1.0/pending/" + id},
	}
}

// getTask tells how far an installation is. Doubt: the shape of the last answer;
// real ones are seen in clients only, which look at "done" and the content type.
func getTask(c *call) (reply, error) {
	if err := c.pluginAdmin(); err != nil {
		return reply{}, err
	}
	id := c.r.PathValue("id")
	t := c.tasks[id]
	if t == nil {
		return reply{}, &refusal{reply{status: http.StatusNotFound}}
	}
	t.asked++
	status := taskStatus{StatusCode: http.StatusOK, ContentType: "application/vnd.atl.plugins.install.installing+json"}
	switch {
	case t.asked < 2:
	case t.plugin == nil:
		status = taskStatus{
			Done: true, StatusCode: http.StatusOK, ContentType: "application/vnd.atl.plugins.task.install.err+json",
			SubCode: "upm.pluginInstall.error.download",
		}
	default:
		status = taskStatus{Done: true, StatusCode: http.StatusOK, ContentType: "application/vnd.atl.plugins.task.install.complete+json"}
		if c.st.Plugins[t.plugin.Key] == nil {
			c.st.Plugins[t.plugin.Key] = t.plugin
			c.wrote("plugin %s installed", t.plugin.Key)
		}
	}
	return reply{body: c.taskBody(id, status)}, nil
}
