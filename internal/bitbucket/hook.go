package bitbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A Hook is a plugin's hook in one repository.
type Hook struct {
	Key        string
	Name       string
	Enabled    bool
	Configured bool
}

// Hook reads a hook of a repository. ErrNotFound: no such repository, or no
// plugin that has the hook.
func (c *Client) Hook(ctx context.Context, project, repo, hookKey string) (Hook, error) {
	var h Hook
	q := call{op: "reading the hook of", object: escape(project + "/" + repo), path: hookPath(project, repo, hookKey)}
	err := c.do(ctx, q, func(a answer) (err error) {
		h, err = readHook(a)
		return err
	})
	return h, err
}

func readHook(a answer) (Hook, error) {
	var wire struct {
		Details    struct{ Key, Name string }
		Enabled    *bool
		Configured bool
	}
	if err := decode(&wire)(a); err != nil {
		return Hook{}, err
	}
	if wire.Enabled == nil {
		return Hook{}, errors.New("not a hook")
	}
	return Hook{wire.Details.Key, wire.Details.Name, *wire.Enabled, wire.Configured}, nil
}

func hookPath(project, repo, hookKey string) string {
	return repoPath(project, repo) + "/settings/hooks/" + segment(hookKey)
}

// EnableHook enables a hook of a repository, with the settings it has.
//
// The webhook plugin's one setting, the URL, is to stay empty. Whether the plugin
// takes no settings at all for that is not certain, so where it refuses them it
// is given an empty URL.
func (c *Client) EnableHook(ctx context.Context, project, repo, hookKey string) error {
	q := call{
		op: "enabling the hook of", object: escape(project + "/" + repo), method: http.MethodPut,
		path: hookPath(project, repo, hookKey) + "/enabled", idempotent: true,
	}
	err := c.do(ctx, q, enabledHook)
	if status(err) == http.StatusBadRequest && hookKey == WebhookHookKey {
		q.body = []byte(`{"hook-url-0":""}`)
		err = c.do(ctx, q, enabledHook)
	}
	return settle(err, func() (bool, error) {
		h, err := c.Hook(ctx, project, repo, hookKey)
		return h.Enabled, err
	})
}

// hookURL begins the names of the webhook plugin's settings: hook-url-0 to
// hook-url-4.
const hookURL = "hook-url-"

// MaxHookURLs is how many URLs the webhook plugin calls for one repository.
const MaxHookURLs = 5

// HookURLs reads the URLs that the webhook plugin calls for a repository. A hook
// without settings has none: 204, or an empty body.
func (c *Client) HookURLs(ctx context.Context, project, repo, hookKey string) ([]string, error) {
	urls := []string{}
	q := call{op: "reading the hook's settings of", object: escape(project + "/" + repo), path: hookPath(project, repo, hookKey) + "/settings"}
	err := c.do(ctx, q, func(a answer) error {
		urls = urls[:0]
		if a.status == http.StatusNoContent || len(bytes.TrimSpace(a.body)) == 0 {
			return nil
		}
		var fields map[string]json.RawMessage
		if err := decode(&fields)(a); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			var address string
			if strings.HasPrefix(name, hookURL) && json.Unmarshal(fields[name], &address) == nil && address != "" {
				urls = append(urls, address)
			}
		}
		return nil
	})
	return urls, err
}
