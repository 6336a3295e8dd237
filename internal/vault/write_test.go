package vault_test

import (
	"testing"
	"time"

	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/sandbox/front"
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
		if _, err := c.Write(t.Context(), "a", sample(), vault.Version(cas)); err != nil {
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

// A fleet without records is answered with 404: neither another system's JSON nor a
// list without names says that there are none.
func TestListTakesOnlyTheDocumentedAnswer(t *testing.T) {
	t.Parallel()
	address, root := startSandbox(t)
	b := newBed(t, address, root, "kv", "old")
	cfg := b.config()
	cfg.Patience = 50 * time.Millisecond
	c := b.loginAs(t, cfg)
	for _, body := range []string{`{"ok":true}`, `{"data":{}}`, `{"data":{"keys":[]}}`, `{"data":{"keys":null}}`, `{"data":null}`, `null`, `{}`, ``, `[]`} {
		b.order(t, front.Fault{Kind: front.Status, Status: 200, Path: "/metadata/", Body: body, Times: -1})
		if have, err := c.List(t.Context(), ""); err == nil {
			t.Errorf("%s: the fleet has the records %v", body, have)
		}
		b.front.ClearFaults()
	}
	for _, body := range []string{`{"message":"no Route matched with those values"}`, `<html></html>`, ``, `{"errors":["no route"]}`} {
		b.order(t, front.Fault{Kind: front.Status, Status: 404, Path: "/metadata/", Body: body, Times: -1})
		if have, err := c.List(t.Context(), ""); err == nil {
			t.Errorf("404 %s: the fleet has the records %v", body, have)
		}
		b.front.ClearFaults()
	}
}
