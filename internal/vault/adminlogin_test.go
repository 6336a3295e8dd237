package vault_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
)

func TestAdminLogin(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b bed) {
		ctx, c := t.Context(), b.login(t)
		if _, version, err := c.ReadAdminLogin(ctx, "corp/logins/b"); !errors.Is(err, vault.ErrNotFound) || version != 0 {
			t.Errorf("missing: version %d, %v", version, err)
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
		want := record.AdminLogin{
			Fleet: "corp", Bitbucket: "https://b", Username: "admin", ConsumerKey: "k",
			PrivateKey: secret.New("private"), Token: secret.New("token"), Made: at, Ends: at.AddDate(5, 0, 0),
		}
		for _, l := range []record.AdminLogin{{Fleet: "corp"}, want} {
			_, before, _ := c.ReadAdminLogin(ctx, "corp/logins/b")
			if _, err := c.WriteAdminLogin(ctx, "corp/logins/b", l, before); err != nil {
				t.Fatal(err)
			}
			have, version, err := c.ReadAdminLogin(ctx, "corp/logins/b")
			if diff := cmp.Diff(l, have, asStored); err != nil || version != before+1 || diff != "" {
				t.Errorf("version %d, %v%s", version, err, diff)
			}
			if _, err := c.WriteAdminLogin(ctx, "corp/logins/b", l, before); !errors.Is(err, vault.ErrConflict) {
				t.Errorf("with an older version: %v", err)
			}
		}
		if _, _, err := c.Read(ctx, "corp/logins/b"); !errors.Is(err, record.ErrNotRecord) {
			t.Errorf("a login read as a record: %v", err)
		}
		if _, err := c.Write(ctx, "corp/x", sample(), 0); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadAdminLogin(ctx, "corp/x"); !errors.Is(err, record.ErrNotLogin) {
			t.Errorf("a record read as a login: %v", err)
		}
	})
}
