package vault_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
)

// edited writes a record, changes its stored fields as somebody else would, and
// reads it again.
func edited(t *testing.T, b bed, change func(fields map[string]any)) (record.Record, error) {
	t.Helper()
	c := b.login(t)
	if _, err := c.Write(t.Context(), "corp/acme", sample(), 0); err != nil {
		t.Fatal(err)
	}
	path := b.kv + "/data/bbsync/corp/acme"
	have, err := b.root.Logical().Read(path)
	if err != nil {
		t.Fatal(err)
	}
	fields := have.Data["data"].(map[string]any)
	change(fields)
	b.write(t, path, map[string]any{"data": fields})
	r, _, err := c.Read(t.Context(), "corp/acme")
	return r, err
}

// A record whose public half, fingerprint or private half was edited is refused,
// with the name of the field, whichever of its keys it is.
func TestEditedKeysAreRefused(t *testing.T) {
	t.Parallel()
	stranger := map[bool][2]string{
		true:  {twoPairs().consumer[0].Public, twoPairs().consumer[0].Fingerprint},
		false: {twoPairs().ssh[0].Public, twoPairs().ssh[0].Fingerprint},
	}
	for _, prefix := range []string{"consumer_", "consumer_previous_", "ssh_current_", "ssh_pending_"} {
		other := stranger[strings.HasPrefix(prefix, "consumer")]
		if prefix == "ssh_current_" || prefix == "consumer_previous_" {
			other = [2]string{twoPairs().ssh[1].Public, twoPairs().ssh[1].Fingerprint}
		}
		for name, edit := range map[string]struct {
			field  string // that the error names
			change func(map[string]any)
		}{
			"public":                {"public", func(f map[string]any) { f[prefix+"public"] = other[0] }},
			"fingerprint":           {"fingerprint", func(f map[string]any) { f[prefix+"fingerprint"] = other[1] }},
			"both":                  {"public", func(f map[string]any) { f[prefix+"public"], f[prefix+"fingerprint"] = other[0], other[1] }},
			"not a key":             {"private", func(f map[string]any) { f[prefix+"private"] = "words" }},
			"a line more":           {"public", func(f map[string]any) { f[prefix+"public"] = f[prefix+"public"].(string) + " x\n" + other[0] }},
			"private key elsewhere": {"fingerprint", func(f map[string]any) { delete(f, prefix+"private"); f[prefix+"public"] = other[0] }},
		} {
			t.Run(prefix+name, func(t *testing.T) {
				t.Parallel()
				address, root := startSandbox(t)
				r, err := edited(t, newBed(t, address, root, "kv", "old"), edit.change)
				var differs *record.ContradictionError
				if !errors.As(err, &differs) || !errors.Is(err, record.ErrContradiction) || differs.Field != prefix+edit.field {
					t.Fatalf("have %v, want an error about %s", err, prefix+edit.field)
				}
				if !strings.Contains(err.Error(), "kv/bbsync/corp/acme") || strings.Contains(err.Error(), "words") {
					t.Errorf("the error is %q", err)
				}
				if r.Organization != "acme" {
					t.Error("the record does not come with the error")
				}
			})
		}
	}
}

// What the private half makes is filled in where it is missing, and comments and
// line breaks at the end do not count.
func TestMissingHalvesAreDerived(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		have, err := edited(t, b, func(f map[string]any) {
			for _, prefix := range []string{"consumer_", "consumer_previous_", "ssh_current_", "ssh_pending_"} {
				delete(f, prefix+"fingerprint")
			}
			delete(f, "consumer_public")
			f["ssh_current_public"] = f["ssh_current_public"].(string) + " and more\n"
		})
		if err != nil {
			t.Fatal(err)
		}
		want := sample()
		want.SSH.Current.Public += " and more\n"
		if diff := cmp.Diff(want, have, asStored); diff != "" {
			t.Error(diff)
		}
	})
}

// A record that contradicts its keys is not leased, so that nothing is applied.
func TestEditedRecordIsNotLeased(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		if _, err := edited(t, b, func(f map[string]any) { f["ssh_current_public"] = twoPairs().ssh[1].Public }); err == nil {
			t.Fatal("it is read")
		}
		if held, err := b.login(t).Acquire(t.Context(), "corp/acme", "me", time.Minute, record.Record{}); !errors.Is(err, record.ErrContradiction) {
			t.Errorf("have %v, %v", held, err)
		}
	})
}

// The keys of a connection that people made have no private half: what is known of
// them is read as it is.
func TestPrivateKeysElsewhereAreRead(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		want := sample()
		want.Consumer.Private, want.SSH.Current.Private = secret.Text{}, secret.Text{}
		want.SSH.Pending.Private, want.SSH.Pending.Public, want.SSH.Pending.Fingerprint = secret.Text{}, "", ""
		c := b.login(t)
		if _, err := c.Write(t.Context(), "x", want, 0); err != nil {
			t.Fatal(err)
		}
		have, _, err := c.Read(t.Context(), "x")
		if diff := cmp.Diff(want, have, asStored); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
