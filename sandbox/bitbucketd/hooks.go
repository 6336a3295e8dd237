package bitbucketd

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
)

// The plugin that Terraform needs on a Bitbucket before 5.4, and its repository hook.
const (
	webPostHooks   = "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin"
	webPostHookKey = webPostHooks + ":postReceiveHook"
	bundled        = "com.atlassian.bitbucket.server.bitbucket-bundled-hooks:"

	// maxHookSettings bounds the settings of a hook; maxHookURLs is how many URLs
	// the web post hook can call.
	maxHookSettings = 32 << 10
	maxHookURLs     = 5
)

// RepoHook is a hook's state on one repository.
type RepoHook struct {
	Enabled  bool            `json:"enabled"`
	Settings json.RawMessage `json:"settings,omitempty"`
}

type hookBody struct {
	Details    hookDetails `json:"details"`
	Enabled    bool        `json:"enabled"`
	Configured bool        `json:"configured"`
	Scope      hookScope   `json:"scope"`
}

type hookDetails struct {
	Key             string   `json:"key"`
	Name            string   `json:"name"`
	Type            string   `json:"type"`
	Description     string   `json:"description"`
	Version         string   `json:"version"`
	ConfigFormKey   *string  `json:"configFormKey"`
	SupportedScopes []string `json:"supportedScopes,omitempty"`
}

type hookScope struct {
	Type       string `json:"type"`
	ResourceID int    `json:"resourceId"`
}

// bundledHooks come with Bitbucket. They are kept, and enforce nothing here.
func bundledHooks() []hookDetails {
	return []hookDetails{
		{Key: "force-push-hook", Name: "Reject Force Push", Type: "PRE_RECEIVE", Description: "Reject all force pushes (git push --force) to this repository"},
		{Key: "verify-committer-hook", Name: "Verify Committer", Type: "PRE_RECEIVE", Description: "Reject commits not committed by the user who pushes"},
		{Key: "protect-unmerged-branch-hook", Name: "Protect unmerged branches", Type: "PRE_RECEIVE", Description: "Reject the deletion of branches with open pull requests"},
		{Key: "all-approvers-merge-check", Name: "All reviewers approve", Type: "PRE_PULL_REQUEST_MERGE", Description: "Requires all reviewers to approve the pull request"},
		{Key: "needs-work-merge-check", Name: "No 'changes requested' status", Type: "PRE_PULL_REQUEST_MERGE", Description: "Requires that no reviewer asks for changes"},
		{Key: "incomplete-tasks-merge-check", Name: "No incomplete tasks", Type: "PRE_PULL_REQUEST_MERGE", Description: "Requires all tasks to be resolved"},
	}
}

// hooks returns the hooks that repositories can have: a plugin's only while it is
// installed and enabled.
func (c *call) hooks() []hookDetails {
	var list []hookDetails
	for _, h := range bundledHooks() {
		h.Key, h.Version = bundled+h.Key, c.opts.Version
		list = append(list, h)
	}
	if p := c.st.Plugins[webPostHooks]; p != nil && p.Enabled {
		form := webPostHooks + ":postReceiveHook-config"
		list = append(list, hookDetails{
			Key: webPostHookKey, Name: "Post-Receive WebHooks", Type: "POST_RECEIVE", Version: p.Version,
			Description: "Calls URLs after a push", ConfigFormKey: &form,
		})
	}
	return list
}

func (c *call) hookBody(r *Repo, d hookDetails) hookBody {
	body := hookBody{Details: d, Scope: hookScope{"REPOSITORY", r.ID}}
	if h := r.Hooks[d.Key]; h != nil {
		body.Enabled, body.Configured = h.Enabled, len(h.Settings) > 0
	}
	return body
}

// hook returns the hook of the path.
func (c *call) hook() (*Repo, hookDetails, error) {
	_, r, err := c.repo(RepoAdmin)
	if err != nil {
		return nil, hookDetails{}, err
	}
	key := c.r.PathValue("hook")
	for _, d := range c.hooks() {
		if d.Key == key {
			return r, d, nil
		}
	}
	return nil, hookDetails{}, refuse(http.StatusNotFound, noSuchHook, "A repository hook with key %s does not exist.", key)
}

func listHooks(c *call) (reply, error) {
	_, r, err := c.repo(RepoAdmin)
	if err != nil {
		return reply{}, err
	}
	var list []hookBody
	for _, d := range c.hooks() {
		if kind := c.query("type"); kind == "" || kind == d.Type {
			list = append(list, c.hookBody(r, d))
		}
	}
	return paged(c, list)
}

func getHook(c *call) (reply, error) {
	r, d, err := c.hook()
	if err != nil {
		return reply{}, err
	}
	return reply{body: c.hookBody(r, d)}, nil
}

// enableHook takes settings in its body, or none.
func enableHook(c *call) (reply, error) {
	r, d, err := c.hook()
	if err != nil {
		return reply{}, err
	}
	h := RepoHook{Enabled: true}
	if old := r.Hooks[d.Key]; old != nil {
		h.Settings = old.Settings
	}
	if len(bytes.TrimSpace(c.body)) > 0 {
		if h.Settings, err = c.hookSettings(d); err != nil {
			return reply{}, err
		}
	}
	if c.opts.HookNeedsURL && d.Key == webPostHookKey && len(h.Settings) == 0 {
		return reply{}, refuseField("hook-url-0", "A URL is required.")
	}
	r.Hooks[d.Key] = &h
	c.wrote("hook %s of %s enabled", d.Key, r.Slug)
	return reply{body: c.hookBody(r, d)}, nil
}

func disableHook(c *call) (reply, error) {
	r, d, err := c.hook()
	if err != nil {
		return reply{}, err
	}
	if h := r.Hooks[d.Key]; h != nil && h.Enabled {
		h.Enabled = false
		c.wrote("hook %s of %s disabled", d.Key, r.Slug)
	}
	return reply{body: c.hookBody(r, d)}, nil
}

// deleteHook forgets the hook's configuration on the repository (newer servers).
func deleteHook(c *call) (reply, error) {
	r, d, err := c.hook()
	if err != nil {
		return reply{}, err
	}
	delete(r.Hooks, d.Key)
	c.wrote("hook %s of %s deleted", d.Key, r.Slug)
	return reply{status: http.StatusNoContent}, nil
}

// getHookSettings answers 204 when there are none. Doubt: the real answer to none.
func getHookSettings(c *call) (reply, error) {
	r, d, err := c.hook()
	if err != nil {
		return reply{}, err
	}
	h := r.Hooks[d.Key]
	if h == nil || len(h.Settings) == 0 {
		return reply{status: http.StatusNoContent}, nil
	}
	return reply{body: h.Settings}, nil
}

func putHookSettings(c *call) (reply, error) {
	r, d, err := c.hook()
	if err != nil {
		return reply{}, err
	}
	settings, err := c.hookSettings(d)
	if err != nil {
		return reply{}, err
	}
	if r.Hooks[d.Key] == nil {
		r.Hooks[d.Key] = &RepoHook{}
	}
	r.Hooks[d.Key].Settings = settings
	c.wrote("hook %s of %s set", d.Key, r.Slug)
	return reply{body: settings}, nil
}

// hookSettings reads settings: an object, at most 32 KB, for the web post hook with
// URLs number 0 to 4 only.
func (c *call) hookSettings(d hookDetails) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := c.decode(&fields); err != nil {
		return nil, err
	}
	if len(c.body) > maxHookSettings {
		return nil, refuseField("settings", "The settings are larger than %d bytes.", maxHookSettings)
	}
	known := regexp.MustCompile(`^hook-url-[0-4]$`)
	for name := range fields {
		if d.Key == webPostHookKey && !known.MatchString(name) {
			return nil, refuseField(name, "The hook has URLs hook-url-0 to hook-url-%d only.", maxHookURLs-1)
		}
	}
	return json.Marshal(fields)
}
