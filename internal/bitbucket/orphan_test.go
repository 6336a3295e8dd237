package bitbucket

import (
	"errors"
	"slices"
	"testing"
)

// A consumer that its link left behind is found and deleted; one that belongs to a link
// is not, though Bitbucket's resource would.
func TestOrphanedConsumers(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c := t.Context(), w.client
		link, err := c.CreateLink(ctx, "tf", orgURL)
		must(t, err)
		pair := consumerPair(t)
		for _, key := range []string{"first", "second"} {
			must(t, c.SetConsumer(ctx, link.ID, Consumer{Key: key, Name: "n", PublicKey: pair.Public}))
		}
		if keys, err := c.OrphanedConsumers(ctx); err != nil || !slices.Equal(keys, []string{"first"}) {
			t.Errorf("%v, %v", keys, err)
		}
		must(t, c.ProveConsumer(ctx, "first", pair.Private))
		for _, key := range []string{"first", "first", "second"} {
			must(t, c.DeleteOrphanedConsumer(ctx, key))
		}
		if err := c.ProveConsumer(ctx, "first", pair.Private); !errors.Is(err, ErrNotFound) {
			t.Errorf("the orphan: %v", err)
		}
		must(t, c.ProveConsumer(ctx, "second", pair.Private))
	})
	s := newScript(t, says(404, `{"message":"null for uri: http://b/rest/applinks/latest/orphaned-trust","status-code":404}`))
	c := client(t, s.url)
	if _, err := c.OrphanedConsumers(t.Context()); !errors.Is(err, ErrTooOld) {
		t.Errorf("not served: %v", err)
	}
	must(t, c.DeleteOrphanedConsumer(t.Context(), "k"))
}

func TestReadOrphans(t *testing.T) {
	for body, want := range map[string][]string{
		`{"orphanedTrust":[{"id":"a","type":"OAUTH"},{"id":"b","type":"TRUSTED_APPS"},{"id":"c","type":"OAUTH"}]}`: {"a", "c"},
		`{"orphanedTrustList":[{"id":"a","type":"OAUTH"}]}`:                                                        {"a"},
		`{"orphanedTrust":{"id":"a","type":"OAUTH"}}`:                                                              {"a"},
		`{"orphanedTrust":[]}`:   nil,
		`{"orphanedTrust":null}`: nil,
	} {
		if keys, err := readOrphans([]byte(body)); err != nil || !slices.Equal(keys, want) {
			t.Errorf("%s: %v, %v", body, keys, err)
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"orphanedTrust":"a"}`, `{"orphanedTrust":{}}`, page200} {
		if keys, err := readOrphans([]byte(body)); err == nil {
			t.Errorf("%s: %v", body, keys)
		}
	}
}
