package bitbucket

import (
	"errors"
	"strings"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

func TestWebhooks(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		list, err := w.client.Webhooks(t.Context(), "INFRA", "vpc")
		if strings.HasPrefix(w.Version(), "5.3") {
			if !errors.Is(err, ErrTooOld) {
				t.Errorf("before 5.4: %v", err)
			}
			return
		}
		if err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := w.client.Webhooks(t.Context(), "INFRA", "gone"); !errors.Is(err, ErrNotFound) || errors.Is(err, ErrTooOld) {
			t.Errorf("of no repository: %v", err)
		}
	})
}

func TestPluginAndHook(t *testing.T) {
	for name, opts := range map[string]bitbucketd.Options{
		"empty settings do": {Version: "5.3.1"}, "settings are needed": {Version: "5.3.1", HookNeedsURL: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, opts)
			ctx, c := t.Context(), w.client
			if _, err := c.Plugin(ctx, WebhookPluginKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("not installed: %v", err)
			}
			if err := c.EnablePlugin(ctx, WebhookPluginKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("not installed: %v", err)
			}
			if err := c.InstallPlugin(ctx, "https://nowhere.example/x.jar"); err == nil || !strings.Contains(err.Error(), "upm.pluginInstall.error.download") {
				t.Errorf("installed from nowhere: %v", err)
			}
			var artefact string
			w.Inspect(func(s *bitbucketd.State) {
				for uri := range s.Artefacts {
					artefact = uri
				}
			})
			must(t, c.InstallPlugin(ctx, artefact))
			p, err := c.Plugin(ctx, WebhookPluginKey)
			must(t, err)
			must(t, w.SetPlugin(bitbucketd.Plugin{Key: p.Key, Name: p.Name, Version: p.Version}))
			must(t, c.EnablePlugin(ctx, WebhookPluginKey))
			if p, err := c.Plugin(ctx, WebhookPluginKey); err != nil || !p.Enabled || p.Version == "" {
				t.Errorf("%+v, %v", p, err)
			}
			h, err := c.Hook(ctx, "INFRA", "vpc", WebhookHookKey)
			if err != nil || h.Enabled || h.Key != WebhookHookKey {
				t.Errorf("%+v, %v", h, err)
			}
			must(t, c.EnableHook(ctx, "INFRA", "vpc", WebhookHookKey))
			if h, err := c.Hook(ctx, "INFRA", "vpc", WebhookHookKey); err != nil || !h.Enabled {
				t.Errorf("%+v, %v", h, err)
			}
			if urls, err := c.HookURLs(ctx, "INFRA", "vpc", WebhookHookKey); err != nil || len(urls) != 0 {
				t.Errorf("%q, %v", urls, err)
			}
			must(t, w.Change("adding a URL", func(s *bitbucketd.State) error {
				s.Repo("INFRA", "vpc").Hooks[WebhookHookKey].Settings = []byte(`{"hook-url-0":"https://a.example","hook-url-1":"","other":1}`)
				return nil
			}))
			if urls, err := c.HookURLs(ctx, "INFRA", "vpc", WebhookHookKey); err != nil || len(urls) != 1 || urls[0] != "https://a.example" {
				t.Errorf("%q, %v", urls, err)
			}
			if _, err := c.HookURLs(ctx, "INFRA", "none", WebhookHookKey); !errors.Is(err, ErrNotFound) {
				t.Errorf("%v", err)
			}
			if _, err := c.Hook(ctx, "INFRA", "vpc", "no.such:hook"); !errors.Is(err, ErrNotFound) {
				t.Errorf("%v", err)
			}
		})
	}
}
