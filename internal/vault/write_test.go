package vault_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/sandbox/front"
	"github.com/bbsync/bbsync/internal/vault"
)

// Old versions are destroyed only if Vault says so in its own form: neither a page
// nor another system's JSON with a good status counts.
func TestDestroyOlderTakesOnlyTheDocumentedAnswer(t *testing.T) {
	t.Parallel()
	const page = "<html><title>Request Rejected</title></html>"
	address, root := startSandbox(t)
	b := newBed(t, address, root, "kv", "old")
	cfg := b.config()
	cfg.Patience = 50 * time.Millisecond
	c := b.loginAs(t, cfg)
	for cas := range 3 {
		if _, err := c.Write(t.Context(), "a", record(), vault.Version(cas)); err != nil {
			t.Fatal(err)
		}
	}
	for name, fault := range map[string]front.Fault{
		"a page":              {Kind: front.HTML, Path: "/destroy/", Body: page},
		"another object":      {Kind: front.Status, Status: 200, Path: "/destroy/", Body: `{"ok":true}`},
		"data":                {Kind: front.Status, Status: 200, Path: "/destroy/", Body: `{"data":{}}`},
		"null":                {Kind: front.Status, Status: 200, Path: "/destroy/", Body: `null`},
		"nothing":             {Kind: front.Status, Status: 200, Path: "/destroy/"},
		"no versions":         {Kind: front.Status, Status: 200, Path: "/metadata/", Body: `{"data":{}}`},
		"versions of another": {Kind: front.Status, Status: 200, Path: "/metadata/", Body: `{"data":{"versions":[]}}`},
	} {
		fault.Times = -1
		b.order(t, fault)
		if err := c.DestroyOlder(t.Context(), "a", 3); err == nil {
			t.Errorf("%s: success, and nothing was destroyed", name)
		}
		b.front.ClearFaults()
	}
}
