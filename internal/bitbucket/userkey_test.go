package bitbucket

import (
	"errors"
	"slices"
	"testing"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

func TestSSHKeysOfAUser(t *testing.T) {
	onEachVersion(t, func(t *testing.T, w *world) {
		ctx, c, pair := t.Context(), w.client, sshPair(t)
		made, err := c.AddSSHKey(ctx, "svc@tf", pair.Public, "bbsync", 0)
		must(t, err)
		if again, err := c.AddSSHKey(ctx, "svc@tf", pair.Public, "again", 0); err != nil || again.ID != made.ID {
			t.Errorf("added again: %+v, %v", again, err)
		}
		if _, err := c.AddSSHKey(ctx, "svc@tf2", pair.Public, "bbsync", 0); !errors.Is(err, ErrExists) {
			t.Errorf("somebody else's key: %v", err)
		}
		if _, err := c.AddSSHKey(ctx, "nobody", sshPair(t).Public, "bbsync", 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("a key for nobody: %v", err)
		}
		proof, err := c.WhoamiSSH(ctx, w.ssh, pair.Private, w.HostKeys())
		if err != nil || proof.User != "svc@tf" || !slices.Contains(w.HostKeys(), proof.HostKey) {
			t.Errorf("%+v, %v", proof, err)
		}
		list, err := c.SSHKeys(ctx, "svc@tf")
		if err != nil || len(list) != 1 || list[0].ID != made.ID || list[0].Label != "bbsync" {
			t.Fatalf("%+v, %v", list, err)
		}
		if list[0].HasUsage == list[0].LastAuthenticated.IsZero() { // used a moment ago: told, or the server never tells
			t.Errorf("usage of %+v", list[0])
		}
		for range 2 {
			must(t, c.DeleteSSHKey(ctx, "svc@tf", made.ID))
		}
		if _, err := c.WhoamiSSH(ctx, w.ssh, pair.Private, w.HostKeys()); !errors.Is(err, ErrKeyRefused) {
			t.Errorf("a deleted key: %v", err)
		}
		if err := c.DeleteSSHKey(ctx, "svc@tf", 0); err == nil {
			t.Error("deleted all keys")
		}
	})
}

func TestManySSHKeys(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	for range 60 {
		_, line := hostKey(t)
		_, err := w.AddSSHKey("svc@tf", line, "")
		must(t, err)
	}
	list, err := w.client.SSHKeys(t.Context(), "svc@tf")
	if err != nil || len(list) != 60 {
		t.Errorf("%d keys, %v", len(list), err)
	}
}

func TestKeyPolicyRefuses(t *testing.T) {
	w := newWorld(t, bitbucketd.Options{})
	must(t, w.Configure(func(s *bitbucketd.Settings) {
		s.SSHPolicy.MaxExpiryDays = 30
		s.SSHPolicy.Restrictions = []bitbucketd.SSHKeyTypeRestrict{{Algorithm: "RSA", Allowed: true, MinKeyLength: 4096}}
	}))
	if _, err := w.client.AddSSHKey(t.Context(), "svc@tf", sshPair(t).Public, "x", 20); !errors.Is(err, ErrPolicy) {
		t.Errorf("a short key: %v", err)
	}
	_, line := hostKey(t)
	k, err := w.client.AddSSHKey(t.Context(), "svc@tf", line, "x", 20)
	if err != nil || k.ExpiryDays != 20 || k.Expires().IsZero() {
		t.Errorf("%+v, %v", k, err)
	}
}
