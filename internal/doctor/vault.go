package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/reach"
	"github.com/bbsync/bbsync/internal/vault"
	"github.com/bbsync/bbsync/schema"
)

// vaultFacts are what was read of the Vault.
type vaultFacts struct {
	want  schema.Vault
	sight answer[reach.Sight]
	login error
	token answer[vault.TokenInfo]
	now   time.Time
}

func (d *doctor) readVault(ctx context.Context) *vaultFacts {
	f := &vaultFacts{want: d.run.Configuration.Vault, now: d.opts.Now}
	f.sight = ask(d.sys.LookAtVault(ctx))
	if f.login = d.sys.Login(ctx); f.login == nil {
		f.token = ask(d.sys.Vault().TokenInfo(ctx))
	}
	return f
}

func (f *vaultFacts) checks() []Check {
	out := []Check{network(f.sight.value, f.sight.err), certificate(f.sight.value, f.sight.err, f.now)}
	if f.login != nil {
		return append(out, failure("login", "no login, or not to a KV version 2 mount", f.login))
	}
	login := ok("login", "logged in with %s", method(f.want.Auth))
	if f.token.value.Agent {
		login = ok("login", "the agent at %s is logged in", f.sight.value.Address)
	}
	return append(out,
		login,
		ok("mount", "%s is there, KV version 2 with check-and-set", f.want.Mount),
		f.lifetime())
}

func method(a schema.VaultAuth) string {
	if a.Method == "" {
		return vault.MethodToken
	}
	return a.Method
}

// short is less than an apply of a large fleet takes.
const short = time.Hour

func (f *vaultFacts) lifetime() Check {
	const name = "token"
	t := f.token.value
	switch {
	case f.token.err != nil:
		return undecided(name, f.token.err)
	case t.Agent:
		return ok(name, "the agent's, which renews it")
	case t.TTL == 0:
		return ok(name, "does not end, policies %s", strings.Join(t.Policies, ", "))
	case t.TTL < short && !t.Renewable && method(f.want.Auth) == vault.MethodToken:
		return warning(name, fmt.Sprintf("ends in %s and cannot be renewed", t.TTL), "an apply that outlasts it stops in the middle", "log in anew (vault login), or use an auth block")
	}
	return ok(name, "%s left, renewable: %t, policies %s", t.TTL, t.Renewable, strings.Join(t.Policies, ", "))
}
