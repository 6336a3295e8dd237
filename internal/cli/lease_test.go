package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bbsync/bbsync/internal/record"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
)

type leaseKey struct{}

// lease takes the lease of an organization's connection, as another run would:
//
//	lease HOLDER ORGANIZATION         until "lease end"
//	lease forged HOLDER ORGANIZATION  for decades, as no run does
func lease(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 1 && args[0] == "end" {
		held := ts.Value(leaseKey{}).(*heldLease) //nolint:forcetypeassert // setUp put it there
		if held.LeasedRecord == nil {
			ts.Fatalf("no lease is held")
		}
		ts.Check(held.Release(context.Background()))
		held.client.Close()
		return
	}
	holder, organization := args[len(args)-2], args[len(args)-1]
	client, path := recordOf(ts, organization)
	if args[0] == "forged" {
		defer client.Close()
		rec, version, err := client.Read(context.Background(), path)
		ts.Check(err)
		rec.Lease = &record.Lease{Holder: holder, Nonce: "n", Expires: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
		_, err = client.Write(context.Background(), path, rec, version)
		ts.Check(err)
		return
	}
	held, err := client.Acquire(context.Background(), path, holder, record.MaxLease, record.Record{})
	ts.Check(err)
	*ts.Value(leaseKey{}).(*heldLease) = heldLease{held, client} //nolint:forcetypeassert // setUp put it there
}

// recordOf logs in to the script's Vault and finds an organization's record.
func recordOf(ts *testscript.TestScript, organization string) (*vault.Client, string) {
	client, err := vault.Login(context.Background(), vault.Config{
		Address: ts.Getenv("VAULT_ADDR"), Mount: "secret", Path: "bbsync",
		Auth: vault.Auth{Method: vault.MethodToken, Token: secret.New(ts.Getenv("SETUP_TOKEN"))},
	})
	ts.Check(err)
	records, err := client.List(context.Background(), "")
	ts.Check(err)
	i := slices.IndexFunc(records, func(path string) bool { return strings.Contains(path, "/"+organization+"/") })
	if i < 0 {
		ts.Fatalf("no record of %s among %v", organization, records)
	}
	return client, records[i]
}

type heldLease struct {
	*vault.LeasedRecord
	client *vault.Client
}
