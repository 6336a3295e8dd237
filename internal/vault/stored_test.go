package vault_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox/front"
)

// A secret that the configuration refers to is replaced without losing its other
// fields, or what someone else has written meanwhile.
func TestWriteStored(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		b.write(t, b.kv+"/data/platform/hcp", map[string]any{"data": map[string]any{"token": "first", "owner": "team-vcs", "count": 3}})
		c := b.login(t)
		const field = "#token"
		s, err := c.ReadStored(t.Context(), b.kv+"/platform/hcp"+field)
		if err != nil {
			t.Fatal(err)
		}
		if value, err := s.Value(); err != nil || value.Reveal() != "first" || s.Note("_renewal") != "" {
			t.Errorf("read: %v, note %q", err, s.Note("_renewal"))
		}
		for name, fault := range map[string]front.Fault{
			"answered": {}, "lost": {Kind: front.LoseAnswer, Method: "PUT"}, "not done": {Kind: front.Status, Status: 502, Method: "PUT"},
		} {
			b.front.ClearFaults()
			if fault.Kind != "" {
				b.order(t, fault)
			}
			if s, err = c.WriteStored(t.Context(), s.With(secret.New(name)).WithNote("_renewal", "at-1")); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			have, err := b.root.Logical().ReadWithContext(t.Context(), b.kv+"/data/platform/hcp")
			if err != nil {
				t.Fatal(err)
			}
			fields := have.Data["data"].(map[string]any)
			if fields["token"] != name || fields["owner"] != "team-vcs" || fields["count"] != json.Number("3") || fields["token_renewal"] != "at-1" {
				t.Errorf("%s: fields %v", name, fields)
			}
		}
		b.front.ClearFaults()
		if s, err = c.WriteStored(t.Context(), s.With(secret.Text{}).WithNote("_renewal", "")); err != nil || s.Note("_renewal") != "" {
			t.Errorf("removing the note: %v", err)
		}
		b.write(t, b.kv+"/data/platform/hcp", map[string]any{"data": map[string]any{"token": "someone else's"}})
		if _, err := c.WriteStored(t.Context(), s.With(secret.New("ours"))); !errors.Is(err, vault.ErrConflict) {
			t.Errorf("over someone else's: %v", err)
		}
		b.write(t, b.old+"/platform/hcp", map[string]any{"token": "first"})
		if _, err := c.ReadStored(t.Context(), b.old+"/platform/hcp"+field); !errors.Is(err, vault.ErrNotVersioned) {
			t.Errorf("KV version 1: %v", err)
		}
		if _, err := c.ReadStored(t.Context(), b.kv+"/platform/none"+field); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("a secret that is not there: %v", err)
		}
	})
}
