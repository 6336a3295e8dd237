package laws_test

import (
	"context"
	"net/http"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/vault/vaulttest"
	"github.com/bbsync/bbsync/sandbox/front"
)

// A mishap befalls a system itself, in the middle of an apply: what an answer
// at its door cannot play.
type mishap string

const (
	noMishap    mishap = ""
	tokenEnds   mishap = "the Vault token ends"
	vaultSealed mishap = "Vault is sealed"
	hostKey     mishap = "Bitbucket's SSH host key changes"
	recordMoves mishap = "somebody else writes the record first"
)

// mishaps are in the order in which rapid prefers the simpler.
func mishaps() []mishap {
	return []mishap{noMishap, noMishap, recordMoves, tokenEnds, hostKey, vaultSealed, noMishap, recordMoves}
}

// order has a mishap happen just before the nth request that it can happen at.
// mend puts right what it did.
func (b *bed) order(t rapid.TB, g *guard, what mishap, nth int) (mend func()) {
	t.Helper()
	system, fault := "vault", front.Fault{Kind: front.Call, Nth: nth}
	mend = func() {}
	switch what {
	case noMishap:
		return mend
	case tokenEnds:
		token := b.vault.Token(b.t, vaulttest.Token{Policies: []string{"root"}, TTL: time.Hour})
		b.env["VAULT_TOKEN"] = token
		fault.Before = func(*http.Request) {
			_ = b.vault.Root.Auth().Token().RevokeTreeWithContext(context.Background(), token) // the guard looks at what comes of it
		}
		mend = func() { b.env["VAULT_TOKEN"] = b.vault.RootToken }
	case vaultSealed:
		fault.Before = func(*http.Request) {
			g.seal()
			_ = b.vault.Root.Sys().SealWithContext(context.Background())
		}
		mend = func() { b.vault.Unseal(b.t); g.unseal() }
	case hostKey:
		system = "bitbucket"
		fault.Before = func(*http.Request) { _ = b.world.Bitbuckets[0].ChangeHostKeys() }
		mend = func() { b.fleet.Bitbuckets[0].SSH.HostKeys = b.world.Bitbuckets[0].HostKeys() } // as the message asks, until restore
	case recordMoves:
		fault.Method, fault.Path = http.MethodPut, "data/"+folder
		fault.Before = func(*http.Request) { b.rewrite() }
	}
	b.must(t, b.fronts[system].Order(fault))
	return mend
}

// rewrite has somebody else write the records as they are: whoever has read one
// before loses the race.
func (b *bed) rewrite() {
	for _, c := range b.fleet.Connections {
		have := b.record(c.Record)
		if have == nil {
			continue
		}
		_, _ = b.vault.Root.KVv2(mount).Put(context.Background(), folder+c.Record, have)
	}
}
