package main

import (
	"context"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/vault"
)

type leaseKey struct{}

// lease takes the lease of an organization's connection, as an apply elsewhere
// would, until "lease end": lease HOLDER ORGANIZATION.
func lease(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 1 && args[0] == "end" {
		held := ts.Value(leaseKey{}).(*heldLease) //nolint:forcetypeassert // setUp put it there
		if held.Held == nil {
			ts.Fatalf("no lease is held")
		}
		ts.Check(held.Release(context.Background()))
		held.client.Close()
		return
	}
	client, err := vault.Login(context.Background(), vault.Config{
		Address: ts.Getenv("VAULT_ADDR"), Mount: "secret", Path: "bbsync",
		Auth: vault.Auth{Method: vault.MethodToken, Token: secret.New(ts.Getenv("VAULT_TOKEN"))},
	})
	ts.Check(err)
	records, err := client.List(context.Background(), "")
	ts.Check(err)
	for _, path := range records {
		if !strings.Contains(path, "/"+args[1]+"/") {
			continue
		}
		held, err := client.Acquire(context.Background(), path, args[0], time.Hour, vault.Record{})
		ts.Check(err)
		*ts.Value(leaseKey{}).(*heldLease) = heldLease{held, client} //nolint:forcetypeassert // setUp put it there
		return
	}
	ts.Fatalf("no record of %s among %v", args[1], records)
}

type heldLease struct {
	*vault.Held
	client *vault.Client
}
