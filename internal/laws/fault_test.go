package laws_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
	"github.com/bbsync/bbsync/sandbox/front"
	"github.com/bbsync/bbsync/sandbox/terraformd"
)

// patience is how long an apply among faults is let run: it waits out what can
// be waited out, and is then aborted, as by its user.
const patience = 6 * time.Second

// drawFault returns one way for one system to misbehave.
func drawFault(t *rapid.T) (system string, f front.Fault) {
	system = rapid.SampledFrom([]string{"bitbucket", "terraform", "vault"}).Draw(t, "system")
	f.Kind = rapid.SampledFrom([]front.Kind{
		front.Status, front.LoseAnswer, front.ResetBody, front.Refuse, front.HTML, front.Truncate,
		front.BadRateHeaders, front.Stale, front.Repeat, front.Delay, front.Hang,
	}).Draw(t, "kind")
	f.Nth = rapid.IntRange(1, 10).Draw(t, "nth")
	f.Times = rapid.SampledFrom([]int{1, 2, 5, -1}).Draw(t, "times")
	f.Method = rapid.SampledFrom([]string{"", "GET", "POST", "PUT", "PATCH", "DELETE"}).Draw(t, "method")
	switch f.Kind {
	case front.Status:
		f.Status = rapid.SampledFrom([]int{500, 429, 502, 503, 403, 401, 404, 409, 422, 200, 302}).Draw(t, "status")
		f.RetryAfter = rapid.SampledFrom([]string{"", "1", "0", "-1", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"}).Draw(t, "retry-after")
		f.Body = rapid.SampledFrom([]string{"", "{}", "null", `{"errors":["Vault is sealed"]}`, `{"errors":[{"status":"500"}]}`, "[]"}).Draw(t, "body")
	case front.HTML:
		f.Status = rapid.SampledFrom([]int{200, 401, 503}).Draw(t, "status")
	case front.Delay:
		f.Delay = 300 * time.Millisecond
	case front.Hang:
		f.Times = 1
	case front.LoseAnswer, front.ResetBody, front.Refuse, front.Truncate, front.BadRateHeaders, front.Stale, front.Repeat, front.Call, front.DropAccount:
	}
	return system, f
}

// TestFaults: whatever mix of faults an apply met, and wherever it gave up, no
// key is on a system and not in Vault, who could clone can, and once the servers
// behave, applying ends with all there, once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]kind{
		"tokens kept":    {orgs: 1, terraform: terraformd.Choices{KeepTokenOnReconnect: true}},
		"tokens remade":  {orgs: 1},
		"tokens fragile": {orgs: 1, bitbucket: bitbucketd.Options{DropTokensOnKeyChange: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var skew atomic.Int64
			k.bitbucket.Now = func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
			b := newBed(t, k)
			states := b.states(t)
			cases, met, failed := 0, map[string]int{}, 0
			check(t, 15, func(t *rapid.T) {
				cases++
				state := rapid.SampledFrom(append(stateNames(), "nothing")).Draw(t, "state")
				b.restore(t, states[state])
				g := b.guard(t)
				g.mayEnd = state != "connected" // without a workspace a clone begins with a request, which may be spoilt
				if rapid.Bool().Draw(t, "edited") {
					what := rapid.SampledFrom(breakages()).Draw(t, "edit")
					if b.disturb(t, what, sandbox.OrgName(1)) == nil {
						g.mayEnd = g.mayEnd || what == "delete-client" || what == "remake-token"
					}
				}
				g.begin(t)
				for range rapid.IntRange(2, 6).Draw(t, "faults") {
					system, f := drawFault(t)
					b.must(t, b.fronts[system].Order(f))
				}
				befell := rapid.SampledFrom(mishaps()).Draw(t, "mishap")
				mend := b.order(t, g, befell, rapid.IntRange(1, 12).Draw(t, "mishap at"))
				off := rapid.SampledFrom([]time.Duration{0, 0, 0, 10 * time.Minute, -10 * time.Minute}).Draw(t, "Bitbucket's clock ahead by")
				skew.Store(int64(off))
				if off != 0 {
					met["clock ten minutes off"]++
				}
				ctx, cancel := context.WithTimeout(b.t.Context(), patience)
				_, result, err := b.applyOnce(ctx, false)
				cancel()
				if err != nil || len(result.Connections) > 0 && result.Connections[0].Err != nil {
					failed++
				}
				for system, f := range b.fronts {
					for _, o := range f.Faults() {
						switch {
						case o.Fired > 0 && o.Fault.Kind == front.Call:
							met[string(befell)]++
						case o.Fired > 0:
							met[fmt.Sprintf("%s %s", system, o.Fault.Kind)]++
						}
					}
				}
				b.clearFaults()
				skew.Store(0)
				mend()
				g.end(t)
				b.expire(t)
				b.converge(t, g)
				b.wellMade(t, b.shape(t))
			})
			t.Logf("%d cases, %d of them failed among the faults; met %v", cases, failed, met)
		})
	}
}

// TestRepeatedAnswer: something between bbsync and Vault answers a write with
// what it answered to the one before, and nothing is written. A key would be on
// Bitbucket then, and nowhere else.
func TestRepeatedAnswer(t *testing.T) {
	t.Parallel()
	b := newBed(t, kind{orgs: 1})
	g := b.guard(t)
	g.begin(t)
	b.must(t, b.fronts["vault"].Order(front.Fault{Kind: front.Stale, Method: "PUT", Path: "data/bbsync", Nth: 2, Times: -1}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	_, result, err := b.applyOnce(ctx, false)
	cancel()
	if err == nil && result.Connections[0].Err == nil {
		t.Error("writes from the second on never happened, and nobody noticed")
	}
	b.clearFaults()
	g.end(t)
	b.expire(t)
	b.converge(t, g)
	b.wellMade(t, b.shape(t))
}
