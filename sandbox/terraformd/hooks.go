package terraformd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Bitbucket before 5.4 has no webhooks of its own; the plugin's hook takes up to
// five URLs for each repository.
const (
	oldHookKey   = "com.atlassian.stash.plugin.stash-web-post-receive-hooks-plugin:postReceiveHook"
	oldHookSlots = 5
)

type webhookBody struct {
	Name          string            `json:"name"`
	URL           string            `json:"url"`
	Active        bool              `json:"active"`
	Events        []string          `json:"events"`
	Configuration map[string]string `json:"configuration"`
}

// hook makes Bitbucket call address at a push and returns the webhook's id, empty
// for the plugin's. The name and the set of events that the real server writes are
// not known.
func (b bitbucket) hook(ctx context.Context, identifier, address, key string) (string, error) {
	if b.oldHooks {
		return "", b.oldHook(ctx, identifier, address)
	}
	body := webhookBody{
		Name: "Terraform", URL: address, Active: true, Events: []string{"repo:refs_changed", "pr:opened"},
		Configuration: map[string]string{"secret": key},
	}
	var made struct {
		ID int `json:"id"`
	}
	if _, err := b.do(ctx, http.MethodPost, repoPath(identifier)+"/webhooks", body, &made); err != nil {
		return "", err
	}
	return strconv.Itoa(made.ID), nil
}

func (b bitbucket) unhook(ctx context.Context, identifier, id, address string) error {
	if b.oldHooks {
		return b.oldUnhook(ctx, identifier, address)
	}
	_, err := b.do(ctx, http.MethodDelete, repoPath(identifier)+"/webhooks/"+id, nil, nil)
	return err
}

func oldHookPath(identifier string) string {
	return repoPath(identifier) + "/settings/hooks/" + oldHookKey
}

func slot(n int) string { return "hook-url-" + strconv.Itoa(n) }

// oldHook adds address to the plugin's hook. It does not enable the hook: the
// documentation asks a person to, and to leave its URL blank.
func (b bitbucket) oldHook(ctx context.Context, identifier, address string) error {
	var hook struct {
		Enabled bool `json:"enabled"`
	}
	if _, err := b.do(ctx, http.MethodGet, oldHookPath(identifier), nil, &hook); err != nil {
		return err
	}
	if !hook.Enabled {
		return errors.New("the hook of Web Post Hooks for Bitbucket Server is not enabled in the repository")
	}
	settings, err := b.oldSettings(ctx, identifier)
	if err != nil {
		return err
	}
	for n := range oldHookSlots {
		if settings[slot(n)] == "" {
			settings[slot(n)] = address
			_, err := b.do(ctx, http.MethodPut, oldHookPath(identifier)+"/settings", settings, nil)
			return err
		}
	}
	return fmt.Errorf("the repository already has %d hooks", oldHookSlots)
}

func (b bitbucket) oldUnhook(ctx context.Context, identifier, address string) error {
	settings, err := b.oldSettings(ctx, identifier)
	if err != nil {
		return err
	}
	for n := range oldHookSlots {
		if settings[slot(n)] == address {
			delete(settings, slot(n))
		}
	}
	_, err = b.do(ctx, http.MethodPut, oldHookPath(identifier)+"/settings", settings, nil)
	return err
}

// oldSettings reads the hook's URLs; a hook without settings has none.
func (b bitbucket) oldSettings(ctx context.Context, identifier string) (map[string]string, error) {
	settings := map[string]string{}
	_, err := b.do(ctx, http.MethodGet, oldHookPath(identifier)+"/settings", nil, &settings)
	if settings == nil { // JSON null
		settings = map[string]string{}
	}
	return settings, err
}
